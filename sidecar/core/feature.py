"""What a request makes use of beyond plain generation: what endpoints may lack and rules may forbid."""

from enum import StrEnum


class Feature(StrEnum):
    """One ability of the upstream, in the Policy's word for it."""

    FUNCTIONS = "functions"
    """Function declarations of the caller."""
    CODE_EXECUTION = "code_execution"
    """Code that the model runs on Google's side."""
    GROUNDING = "grounding"
    """Search, maps and retrieval tools."""
    URL_CONTEXT = "url_context"
    """Pages that the model fetches."""
    COMPUTER_USE = "computer_use"
    """A browser that the model steers."""
    MCP_SERVERS = "mcp_servers"
    """Servers of the Model Context Protocol that Google's side calls."""
    FILES = "files"
    """Content by reference: uploaded files and other URIs, and a place in a bucket to write the answer to."""
    CACHED_CONTENT = "cached_content"
    """An explicit context cache."""
    MEDIA = "media"
    """Images, audio, video and documents in the request itself."""
    OTHER_TOOLS = "other_tools"
    """A tool that this release has no word for."""
    UNKNOWN_FIELDS = "unknown_fields"
    """Fields that the schema does not type (`extra_json`)."""
