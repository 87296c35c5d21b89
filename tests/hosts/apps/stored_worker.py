import logging

from stored import scheduler, tasks

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    scheduler.apply(tasks)
    scheduler.run_forever()
