from .render import render_scene as render_scene
