"""Labels, the modality that each was made from, and splits that do not leak."""

from beyond_alignment.tasks.registry import get_task, task_set

__all__ = ["get_task", "task_set"]
