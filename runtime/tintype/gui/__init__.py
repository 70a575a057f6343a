"""The desktop window: state (pure), worker (one thread), view and app (the only tkinter)."""
