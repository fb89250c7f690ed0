"""What a reading process and its parent tell each other: names of files, and keys and values of messages."""

ANSWER, STDERR = "answer.json", "stderr.txt"  # in the folder of a task, and in that of the process
PROGRESS, OVER = "progress", "over"  # keys: things done and in total; what the task has too little of
MEMORY, DISK = "memory", "disk"  # values of `OVER`
READY = "ready"  # key: the number of the reading process; that of a launcher, as on Windows, is another one
DONE = {"done": True}
