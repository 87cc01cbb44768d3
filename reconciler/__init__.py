"""Terraform for accounts receivable: manifests, plan, apply exactly once."""

__version__ = "0.1.0"
