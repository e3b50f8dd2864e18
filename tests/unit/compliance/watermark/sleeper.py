"""A process that never answers, for tests of who waits for one."""

import time

if __name__ == "__main__":
    time.sleep(600)
