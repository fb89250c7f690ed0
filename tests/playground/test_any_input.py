"""Whatever a link, a header or a request holds, it is parsed or refused in one sentence: found by Hypothesis."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from core.config import Config, ConfigError, knobs
from core.errors import MAX_MESSAGE, UserError
from playground.access.bodies import rewrite
from playground.access.hosts import Authority
from playground.access.uploads import clean_name
from playground.data.image_ref import ImageRef
from playground.server.opening import unknown_names
from playground.server.permalink import from_link, read_course
from playground.state.page_state import PageState

pytestmark = pytest.mark.slow

NAMES = sorted(knobs())
# The same examples every time, few of them, and no clock: a test must not fail on a busy machine.
quick = settings(
    derandomize=True, max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
numbers = st.integers() | st.floats() | st.booleans()
leaves = st.none() | numbers | st.text(max_size=20)
values = st.recursive(
    leaves, lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=5), each, max_size=4)
)
names = st.sampled_from(NAMES)
parts = st.sampled_from(("step=loss", "&", "=", "%00", "%ff", "data=", "scene", "/", "pick=", "run=", ","))
queries = st.lists(parts | names | st.text(max_size=12), max_size=8).map("".join)


def is_one_sentence(error: UserError) -> bool:
    return 0 < len(str(error)) <= MAX_MESSAGE and "\n" not in str(error)


@quick
@given(st.dictionaries(names | st.text(max_size=10), values, max_size=4))
def test_settings(flat):
    try:
        config = Config.from_flat(flat)
    except ConfigError as error:
        assert is_one_sentence(error)
    else:
        assert Config.from_flat(config.to_flat()) == config


@quick
@given(st.data())
def test_a_setting_of_any_value(data):
    name = data.draw(names)
    usual = Config().to_flat()[name]
    value = data.draw(st.just(usual) | st.text(max_size=12).map(lambda text: f"{usual}{text}") | values)
    try:
        assert name in Config.from_flat({name: value}).to_flat()
    except ConfigError as error:
        assert is_one_sentence(error) and (name in str(error) or "." in str(error))


@quick
@given(queries)
def test_links(query):
    try:
        assert isinstance(from_link(query, with_data=False), PageState)
    except UserError as error:
        assert is_one_sentence(error)
    read_course(query)
    assert len(unknown_names(query)) <= MAX_MESSAGE


@quick
@given(st.text(max_size=30) | st.from_regex(r"\w{1,9}/(train|val|test)/[0-9]{1,11}", fullmatch=True))
def test_pictures_of_links(text):
    try:
        found = ImageRef.from_link(text)
    except ConfigError as error:
        assert is_one_sentence(error)
    else:
        assert (found.link if found else "") == text or int(text.split("/")[-1]) == found.index + 1


@quick
@given(st.text(max_size=40) | st.from_regex(r"\[?[0-9a-f:.]{1,20}\]?(:[0-9]{0,6})?", fullmatch=True))
def test_names_of_servers(text):
    found = Authority.parse(text)
    assert found is None or (found.name == found.name.lower() and 0 <= (found.port or 0) <= 99_999)


@quick
@given(st.text(max_size=300))
def test_names_of_files(text):
    name = clean_name(text)
    assert 0 < len(name.encode()) <= 255 and name.isprintable() and not set('/\\<>:"|?*') & set(name)
    assert name == name.rstrip(" .") and clean_name(name) == name


@quick
@given(
    st.sampled_from(("queue/join", "run/predict", "component_server", "cancel", "reset")),
    st.binary(max_size=30)
    | st.dictionaries(
        st.sampled_from(("fn_index", "data", "session_hash", "event_id", "trigger_id", "component_id", "fn_name")),
        values,
    ).map(lambda body: json.dumps(body).encode()),
)
def test_requests(path, content):
    blocks = SimpleNamespace(fns={0: SimpleNamespace(fn=len, inputs=[1])}, blocks={})
    found = rewrite(f"/gradio_api/{path}", content, blocks)
    assert found == 400 or json.loads(found.content)
