from .contents import FolderContents as FolderContents
