"""Reading what people wrote: files, YAML as text with positions, findings and where they are.

Shared by the manifests and `reconciler.yaml`. Nothing here knows a kind, a project or a plan.
"""
