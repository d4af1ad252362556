from simple import hatchet, simple


def main() -> None:
    worker = hatchet.worker("python-worker", slots=100, workflows=[simple])
    worker.start()


if __name__ == "__main__":
    main()
