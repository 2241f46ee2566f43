"""When does fusing histology with gene expression add information about a task?"""

__version__ = "0.1.0"
