"""The ordered papermill run, its manifests, the freshness of pages, and the published book."""
