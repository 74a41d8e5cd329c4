"""A situation becomes needs and ranked projects."""
