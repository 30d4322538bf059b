"""Every setting of an installation, and the only place that reads the environment.

Nothing set means embedded: SQLite, one process, secrets made in ``var/``. ``DATABASE_URL`` and
``REDIS_URL`` move the same code to PostgreSQL, Redis and several processes. docs/settings.md lists all.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

import environ
from csp.constants import NONCE
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("EMOTRACK_DEBUG", False)
VAR_DIR = Path(env.str("EMOTRACK_VAR_DIR", str(BASE_DIR / "var"))).resolve()
DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")
EMBEDDED = not DATABASE_URL


def _made_once(path: Path, nbytes: int) -> str:
    """The secret in ``path``; made there, readable by its owner only, when it is not there yet."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    secret = base64.urlsafe_b64encode(secrets.token_bytes(nbytes)).decode()
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    return secret


def _secret(name: str, filename: str, nbytes: int) -> str:
    """From ``name``, else from the file that ``name_FILE`` names, else (embedded only) from ``var/``."""
    if value := env.str(name, ""):
        return value
    if path := env.str(f"{name}_FILE", ""):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}: {path}") from error
    if not EMBEDDED:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE: with DATABASE_URL no secret is made for you.")
    return _made_once(VAR_DIR / filename, nbytes)


SECRET_KEY = _secret("EMOTRACK_SECRET_KEY", "secret.key", 50)
MASTER_KEY = _secret("EMOTRACK_MASTER_KEY", "master.key", 32)
"""Wraps every client's data key: 32 bytes, URL-safe base64. Losing it loses all names, words and audio."""

ALLOWED_HOSTS = env.list("EMOTRACK_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("EMOTRACK_TRUSTED_ORIGINS", default=[])
BEHIND_TLS = env.bool("EMOTRACK_BEHIND_TLS", False)
"""Set when a proxy in front speaks HTTPS: cookies become secure and HSTS is sent."""

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "emotrack",
    "emotrack.audit",
    "emotrack.schedule",
    "emotrack.accounts",
    "emotrack.history",
    "emotrack.recordings",
    "emotrack.mood",
    "emotrack.alerts",
    "emotrack.privacy",
    "emotrack.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "emotrack.web.static_files.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "emotrack.web.middleware.PersonMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "emotrack.urls"
ASGI_APPLICATION = "emotrack.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
                "emotrack.web.context.chrome",
            ],
        },
    },
]

# --- Database -----------------------------------------------------------------------------------

if EMBEDDED:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR_DIR / "emotrack.sqlite3",
            "OPTIONS": {
                # A transaction that starts as a reader and then writes fails under load: take the lock first.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # The page size must come first: it is fixed when the file is created.
                "init_command": (
                    "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                    "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
                ),
            },
            "TEST": {"NAME": VAR_DIR / "test.sqlite3"},
        }
    }
else:
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
    DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Several processes --------------------------------------------------------------------------

TASKS_BACKEND = env.str("EMOTRACK_TASKS", "database")
if TASKS_BACKEND not in {"database", "celery"}:
    raise ImproperlyConfigured(f"EMOTRACK_TASKS is {TASKS_BACKEND!r}; it takes 'database' or 'celery'.")
if TASKS_BACKEND == "celery" and not REDIS_URL:
    raise ImproperlyConfigured("EMOTRACK_TASKS=celery needs REDIS_URL, the address of the message broker.")

if TASKS_BACKEND == "celery":
    INSTALLED_APPS.append("django_tasks_fennel")

TASKS = {
    "default": {
        "BACKEND": {
            "database": "django_tasks_db.DatabaseBackend",
            "celery": "django_tasks_fennel.CeleryBackend",
        }[TASKS_BACKEND],
        "ENQUEUE_ON_COMMIT": TASKS_BACKEND == "celery",
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = REDIS_URL
CELERY_RESULT_EXTENDED = True
CELERY_TASK_TRACK_STARTED = True

CHANNEL_LAYERS = {
    "default": (
        {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

RECOGNIZE_IN_WEB = env.bool("EMOTRACK_RECOGNIZE_IN_WEB", EMBEDDED)
"""Whether the web process holds a recognizer itself; else its workers do, and the web waits for them."""

# --- Recognizer ---------------------------------------------------------------------------------

RECOGNIZER = env.str("EMOTRACK_RECOGNIZER", "acoustic")
if RECOGNIZER not in {"acoustic", "emotion2vec"}:
    raise ImproperlyConfigured(
        f"EMOTRACK_RECOGNIZER is {RECOGNIZER!r}; it takes 'acoustic' or 'emotion2vec'."
    )
EMOTION2VEC_MODEL = env.str("EMOTRACK_EMOTION2VEC_MODEL", str(VAR_DIR / "models" / "emotion2vec_plus_large"))
EMOTION2VEC_DEVICE = env.str("EMOTRACK_EMOTION2VEC_DEVICE", "cpu")
RECOGNIZER_THREADS = env.int("EMOTRACK_RECOGNIZER_THREADS", 1)

# --- Limits and promises ------------------------------------------------------------------------

AUDIO_MAX_BYTES = env.int("EMOTRACK_AUDIO_MAX_MB", 50) * 1024 * 1024
AUDIO_MAX_SECONDS = env.int("EMOTRACK_AUDIO_MAX_MINUTES", 120) * 60
RECORDING_MAX_BYTES = env.int("EMOTRACK_RECORDING_MAX_MB", 500) * 1024 * 1024
"""Largest recording that is uploaded to be cut into turns; AUDIO_MAX_BYTES is for one utterance."""
RECORDING_MAX_SECONDS = env.int("EMOTRACK_RECORDING_MAX_MINUTES", 240) * 60
AUDIO_DIR = VAR_DIR / "audio"
AUDIO_KEPT_DAYS = env.int("EMOTRACK_AUDIO_KEPT_DAYS", 30)
"""Days that audio is kept: 0 deletes it once it is analyzed, -1 keeps it."""
JSON_MAX_BYTES = env.int("EMOTRACK_JSON_MAX_MB", 25) * 1024 * 1024
TEXT_MAX_CHARACTERS = 20_000
CONSENT_REQUIRED = frozenset(env.list("EMOTRACK_CONSENT_REQUIRED", default=["voice_emotion"]))
LEASE_SECONDS = env.int("EMOTRACK_LEASE_SECONDS", 60)
"""How long a worker may be at one utterance before another takes it over."""
SESSION_IDLE_MINUTES = env.int("EMOTRACK_SESSION_IDLE_MINUTES", 60)
ESCALATE_CRITICAL_HOURS = env.int("EMOTRACK_ESCALATE_CRITICAL_HOURS", 4)
ESCALATE_WARNING_HOURS = env.int("EMOTRACK_ESCALATE_WARNING_HOURS", 24)
"""After how long an alert that nobody has seen is told again; 0: never."""
WEBHOOK_ALLOW_HTTP = env.bool("EMOTRACK_WEBHOOK_ALLOW_HTTP", False)
WEBHOOK_ALLOW_PRIVATE = env.bool("EMOTRACK_WEBHOOK_ALLOW_PRIVATE", False)
TRIAL_EVERY_MINUTES = max(0, env.int("EMOTRACK_TRIAL_EVERY_MINUTES", 60))
"""How often a made-up alert is sent the whole way, to see that it arrives; 0 for never."""
DISK_FREE_MB = env.int("EMOTRACK_DISK_FREE_MB", 1024)
"""Admins are told when less than this is free."""
LEGACY_PREDICT_OPEN = env.bool("LEGACY_PREDICT_OPEN", False)
RATE_PER_MINUTE = env.int("EMOTRACK_RATE_PER_MINUTE", 1200)
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # the doors count bytes themselves, so that the answer is a problem+json
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"] + [
    "django.core.files.uploadhandler.TemporaryFileUploadHandler"
]

# --- People -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "web:sign_in"
LOGIN_REDIRECT_URL = "web:caseload"
LOGOUT_REDIRECT_URL = "web:sign_in"
AXES_FAILURE_LIMIT = 8
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_TEMPLATE = "web/locked_out.html"
AXES_VERBOSE = False
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", NONCE],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

# --- Words and time -----------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LANGUAGE_COOKIE_AGE = 365 * 86400
LANGUAGE_COOKIE_SECURE = BEHIND_TLS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
FORMAT_MODULE_PATH = "emotrack.web.formats"
LOCALE_PATHS = [BASE_DIR / "emotrack" / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("EMOTRACK_TIME_ZONE", "UTC")
"""The installation's zone: days are counted in it. Times are stored in UTC and shown in each user's zone."""

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.str("EMOTRACK_STATIC_ROOT", "") or None
"""Where ``collectstatic`` puts them; without it they are served from where they lie."""
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_MAX_AGE = 0 if DEBUG else 600

# --- Mail ---------------------------------------------------------------------------------------

SITE_URL = env.str("EMOTRACK_SITE_URL", "").rstrip("/")
"""Where people reach the site, such as https://emotrack.example: for links in what is sent out."""
_mail_server = env.str("EMOTRACK_EMAIL_URL", "")
EMAIL_SET_UP = bool(_mail_server)
if EMAIL_SET_UP:
    if not _mail_server.startswith(("smtp://", "smtp+tls://", "smtp+ssl://")):
        raise ImproperlyConfigured(
            "EMOTRACK_EMAIL_URL takes smtp://, smtp+tls:// or smtp+ssl://, then user:password@host:port."
        )
    _mail = env.email_url_config(_mail_server)
    EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"] or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("EMOTRACK_EMAIL_FROM", "emotrack@localhost")

# --- REST ---------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "emotrack.api.authentication.KeyAuthentication",
        "emotrack.api.authentication.SiteSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["emotrack.api.authentication.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["emotrack.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["emotrack.api.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["emotrack.api.throttling.PerKeyThrottle"],
    "EXCEPTION_HANDLER": "emotrack.api.errors.problem_response",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "EmoTrack",
    "DESCRIPTION": "Post utterances, read how emotions move. A reading describes a voice, not a person.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "SpeakerEnum": ["client", "counselor", "assistant", "other"],
        "EmotionEnum": "analysis.values.LABELS",
        "HeardEnum": "emotrack.history.remarks.HEARD",
        "ReadingEnum": ["ok", "no_speech", "low_quality", "unknown", "ambiguous"],
        "WordsReadingEnum": ["ok", "unknown", "ambiguous", "too_few_words", "other_language"],
    },
}

# --- Logs ---------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.str("EMOTRACK_LOG_LEVEL", "WARNING")},
    "loggers": {
        "emotrack": {"level": env.str("EMOTRACK_LOG_LEVEL", "INFO")},
        # Both tell at length what of a style sheet or font they leave out.
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
    },
}
