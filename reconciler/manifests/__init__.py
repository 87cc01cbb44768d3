"""Manifests: what a project declares, from `manifests/**/*.yaml` to resources, with every error in place.

Offline: what only the ERP knows is left to the plan. Nothing here is written or sent.
"""
