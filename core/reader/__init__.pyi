from .limits import (
    COMMAND_LINE as COMMAND_LINE,
    PAGE as PAGE,
    UPLOADED as UPLOADED,
    Kind as Kind,
    Limits as Limits,
    is_uploaded as is_uploaded,
    limits_for as limits_for,
    read_apart_from_now_on as read_apart_from_now_on,
)
from .pool import Answer as Answer, read_apart as read_apart, warm_up as warm_up
from .tasks import LIGHT as LIGHT, TASKS as TASKS
from .turns import reading_for as reading_for
