SECRET_KEY = "for tests"  # noqa: S105 - the site is on the loopback only
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop"]
