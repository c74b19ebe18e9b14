"""One module per step kind; each offers `VERSION` and `async execute(step, context)`."""
