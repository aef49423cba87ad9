"""Writes the notebooks, with the results saved in them, as web pages that need no server and no other host.

Formulas are drawn by KaTeX, charts by Vega, both copied beside the pages. Without scripts a page shows the charts'
pictures.
"""

import argparse
import mimetypes
import os
import re
import shutil
import sys
import tempfile
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / 'notebooks'
SOURCES = Path(__file__).resolve().parent
MODULES = ROOT / 'node_modules'

CHART = 'application/vnd.vegalite.v5+json'
SCRIPTS = {
    'katex.js': MODULES / 'katex/dist/katex.min.js',
    'auto-render.js': MODULES / 'katex/dist/contrib/auto-render.min.js',
    'vega.js': MODULES / 'vega/build/vega.min.js',
    'vega-lite.js': MODULES / 'vega-lite/build/vega-lite.min.js',
    'vega-embed.js': MODULES / 'vega-embed/build/vega-embed.min.js',
    'page.js': SOURCES / 'page.js',
    'page.css': SOURCES / 'page.css',
}


def main():
    options = parse_arguments()
    out = options.out.resolve()
    if out.exists() and any(out.iterdir()) and not (out / 'assets/page.css').exists():
        sys.exit(f'site: {options.out} holds something else than a site; name an empty or a new folder by --out')
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{out.name}.', suffix='.partial', dir=out.parent) as scratch:
        whole = Path(scratch, 'new')
        pages = read_pages()
        write_assets(whole / 'assets')
        for page in pages:
            write_page(page, pages, whole, out, options.repository)
        if out.exists():
            out.rename(Path(scratch, 'old'))
        whole.rename(out)
    print(f'{len(pages)} pages; open {out / "index.html"}')


def parse_arguments():
    parser = argparse.ArgumentParser(prog='npm run site --', description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, default=ROOT / 'site', metavar='FOLDER', help='default: site')
    parser.add_argument(
        '--repository',
        type=lambda url: url.rstrip('/'),
        metavar='URL',
        help='where links to other files lead, e.g. https://github.com/OWNER/NAME; default: to this clone',
    )
    return parser.parse_args()


class Page:
    def __init__(self, path):
        self.path = path
        self.notebook = nbformat.read(path, as_version=4)
        text = '\n'.join(cell.source for cell in self.notebook.cells if cell.cell_type == 'markdown')
        heading = re.search(r'^# +(.+)', text, re.MULTILINE)
        self.title = heading[1].strip() if heading else path.stem
        self.html = path.relative_to(NOTEBOOKS).with_suffix('.html')
        self.part = '' if path.parent == NOTEBOOKS else path.parent.name.capitalize()

    def link_to(self, other):
        return os.path.relpath(other.html, self.html.parent)


def read_pages():
    """The map first, then the notebooks, then the folders below them."""
    paths = [path for path in NOTEBOOKS.rglob('*.ipynb') if '.ipynb_checkpoints' not in path.parts]
    return sorted(map(Page, paths), key=lambda page: (page.part, page.path.stem != 'index', page.path))


class Exporter(HTMLExporter):
    """nbconvert's, with our template, and with the links of the site."""

    def __init__(self, resolve):
        super().__init__(
            extra_template_basedirs=[str(SOURCES)],
            template_name='template',
            exclude_input_prompt=True,
            exclude_output_prompt=True,
        )
        self.resolve = resolve

    @pass_context
    def markdown2html(self, context, source):
        soup = BeautifulSoup(super().markdown2html(context, source), 'html.parser')
        for link in soup.select('a[href]'):
            link['href'] = self.resolve(link['href'])
        folder = Path(context['resources']['metadata']['path'])
        for image in soup.select('img[src]'):  # nbconvert's embed_images would tear a <details> from its content
            image['src'] = embed(image['src'], folder)
        return str(soup)


def embed(source, folder):
    url = urlsplit(source)
    if url.scheme or url.netloc:
        return source
    content = b64encode((folder / unquote(url.path)).read_bytes()).decode()
    return f'data:{mimetypes.guess_type(url.path)[0]};base64,{content}'


def write_page(page, pages, folder, out, repository):
    def resolve(href):
        url = urlsplit(href)
        if url.scheme or url.netloc or not url.path:
            return href
        target = Path(os.path.normpath(page.path.parent / unquote(url.path)))
        # A folder of notebooks is its first one.
        other = next((other for other in pages if target in (other.path, other.path.parent)), None)
        new = page.link_to(other) if other else source_link(target)
        return f'{new}#{url.fragment}' if url.fragment else new

    def source_link(target):
        if repository:
            return f'{repository}/{"tree" if target.is_dir() else "blob"}/HEAD/{target.relative_to(ROOT).as_posix()}'
        return os.path.relpath(target, (out / page.html).parent)

    neighbors = [other for other in pages if other.part == page.part]
    index = neighbors.index(page)

    def link(other):
        return {'href': page.link_to(other), 'title': other.title, 'is_current': other is page}

    site = {
        'title': page.title,
        'name': page.path.name,
        'source': source_link(page.path),
        'is_start': page.html == Path('index.html'),
        'start': os.path.relpath('index.html', page.html.parent),
        'assets': os.path.relpath('assets', page.html.parent),
        'chart': CHART,
        'contents': [
            {'name': part, 'pages': [link(other) for other in pages if other.part == part]}
            for part in dict.fromkeys(other.part for other in pages)
        ],
        'previous': link(neighbors[index - 1]) if index > 0 else None,
        'next': link(neighbors[index + 1]) if index + 1 < len(neighbors) else None,
    }
    resources = {'metadata': {'name': page.path.stem, 'path': str(page.path.parent)}, 'site': site}
    html, _ = Exporter(resolve).from_notebook_node(page.notebook, resources=resources)
    target = folder / page.html
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(html, encoding='utf-8')


def write_assets(folder):
    folder.mkdir(parents=True)
    for name, source in SCRIPTS.items():
        shutil.copyfile(source, folder / name)
    for name, style in [('light', 'default'), ('dark', 'github-dark')]:
        (folder / f'code-{name}.css').write_text(HtmlFormatter(style=style).get_style_defs('.highlight'))
    (folder / 'katex.css').write_text(inline_fonts(MODULES / 'katex/dist/katex.min.css'))


def inline_fonts(stylesheet):
    """A browser may refuse the fonts of a page that was opened as a file."""

    def inline(match):
        font = b64encode((stylesheet.parent / match[1]).read_bytes()).decode()
        return f'src:url(data:font/woff2;base64,{font}) format("woff2")'

    return re.sub(r'src:url\(([^)]+\.woff2)\)[^}]*', inline, stylesheet.read_text())


if __name__ == '__main__':
    main()
