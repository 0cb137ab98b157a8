"""A computational graph in the DOT language of Graphviz."""

from html import escape

from inkgrad.autodiff.graph import Direction, Graph, GraphNode
from inkgrad.autodiff.graph_text import BORDER, FILL, GRADIENT, MUTED, VALUE, lines

__all__ = ["to_dot"]

_FONT = 'fontname="Helvetica,Arial,sans-serif"'


def to_dot(graph: Graph, direction: Direction) -> str:
    """See `Graph.to_dot`. Language: https://graphviz.org/doc/info/lang.html."""
    legend = f'<<FONT COLOR="{VALUE}">= value (forward)</FONT>   <FONT COLOR="{GRADIENT}">∂ gradient (backward)</FONT>>'
    out = [
        "digraph inkgrad {",
        f"  rankdir={'LR' if direction == 'right' else 'TB'};",
        f"  graph [{_FONT}, fontsize=11, label={legend}, labelloc=b];",
        f"  node [{_FONT}, fontsize=11, shape=box, style=filled];",
        f'  edge [color="{MUTED}", arrowsize=0.7];',
    ]
    out += _cluster(_tree(graph), "", 1)
    out += [f"  n{source} -> n{target};" for source, target, _ in graph.edges]
    return "\n".join([*out, "}", ""])


class _Scope:
    """The nodes of one name scope, and the scopes inside it by name."""

    def __init__(self) -> None:
        self.nodes: list[GraphNode] = []
        self.inner: dict[str, _Scope] = {}


def _tree(graph: Graph) -> _Scope:
    root = _Scope()
    for node in graph.nodes:
        scope = root
        for part in node.scope.split(".") if node.scope else ():
            scope = scope.inner.setdefault(part, _Scope())
        scope.nodes.append(node)
    return root


def _cluster(scope: _Scope, path: str, depth: int) -> list[str]:
    indent = "  " * depth
    out = [indent + _node(node) for node in scope.nodes]
    for name, inner in scope.inner.items():
        inner_path = f"{path}.{name}" if path else name
        out += [
            f"{indent}subgraph {_quoted('cluster_' + inner_path)} {{",
            f'{indent}  label={_quoted(inner_path)}; fontcolor="{MUTED}"; color="{BORDER["op"]}"; style=rounded;',
            *_cluster(inner, inner_path, depth + 1),
            f"{indent}}}",
        ]
    return out


def _node(node: GraphNode) -> str:
    parts = []
    for line in lines(node, scope=False):  # the clusters show it
        text = escape(line.text)
        parts.append(f'<FONT COLOR="{line.color}">{f"<B>{text}</B>" if line.bold else text}</FONT>')
    label = "<BR/>".join(parts)
    style = ', style="filled,rounded"' if node.kind == "op" else ""
    return f'n{node.id} [label=<{label}>, fillcolor="{FILL[node.kind]}", color="{BORDER[node.kind]}"{style}];'


def _quoted(text: str) -> str:
    text = "".join(c if c.isprintable() else "�" for c in text)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
