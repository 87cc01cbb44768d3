"""Templates: `*.yaml.j2` files rendered to YAML text, with exact numbers, in a process of their own.

Only `exact` and `child` know jinja2, and only the child process imports them.
"""
