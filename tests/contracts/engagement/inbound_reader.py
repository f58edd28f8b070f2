"""What applying texts may rely on about who reads them."""

from abc import ABC, abstractmethod

from hypothesis import given
from hypothesis import strategies as st

from retail_core.engagement.model import InboundText
from retail_core.engagement.ports import InboundReader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


class InboundReaderContract(ABC):
    """A reader understands what it can and never stumbles over the rest."""

    @abstractmethod
    def reader(self) -> InboundReader:
        """The reader; no fixture, so that hypothesis may call its test often."""

    @abstractmethod
    def written(self, text: InboundText) -> bytes:
        """This text in the form that this reader reads."""

    def test_what_a_text_says_is_understood(self) -> None:
        text = InboundText(
            sender="306984303406",
            receiver="+306984303400",
            text="Στοπ, please",
            message_id="id-1",
            told_at="2026-11-24T12:00:00Z",
        )

        assert self.reader().read(self.written(text)) == text

    @given(raw=st.binary())
    def test_any_bytes_can_be_read(self, raw: bytes) -> None:
        assert isinstance(self.reader().read(raw).text, str)
