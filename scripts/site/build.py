"""Writes the notebooks, with the results saved in them, as web pages that need no server and no other host.

Formulas are drawn by KaTeX, charts by Vega, both copied next to the pages. Without scripts a page shows the charts'
pictures. Next to them is the browser edition, in which they run; it needs a server, if only one of files.
"""

import json
import mimetypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters import Highlight2HTML
from pygments.formatters import HtmlFormatter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'scripts'))

import command  # noqa: E402

NOTEBOOKS = ROOT / 'notebooks'
SOURCES = Path(__file__).resolve().parent
MODULES = ROOT / 'node_modules'

EDITION = Path('lite')
CENSUS = ROOT / 'data/results/census.csv'
CENSUS_PAGE = Path('census.html')
CENSUS_TITLE = 'The census of focal losses: search it'
READS_CENSUS = 'readCensus('

BINDER = 'https://mybinder.org/v2/gh'
CODESPACES = 'https://codespaces.new'

CHART = 'application/vnd.vegalite.v5+json'
SCRIPTS = {
    'katex.js': MODULES / 'katex/dist/katex.min.js',
    'auto-render.js': MODULES / 'katex/dist/contrib/auto-render.min.js',
    'vega.js': MODULES / 'vega/build/vega.min.js',
    'vega-lite.js': MODULES / 'vega-lite/build/vega-lite.min.js',
    'vega-embed.js': MODULES / 'vega-embed/build/vega-embed.min.js',
    'page.js': SOURCES / 'page.js',
    'census.js': SOURCES / 'census.js',
    'page.css': SOURCES / 'page.css',
}
PAGE_SCRIPTS = ['katex', 'auto-render', 'page']
CHART_SCRIPTS = ['vega', 'vega-lite', 'vega-embed']


def main():
    options = parse_arguments()
    out = options.out.resolve()
    if out.exists() and any(out.iterdir()) and not (out / 'assets/page.css').exists():
        command.fail('site', f'{options.out} holds something else than a site; name an empty or a new folder with --out')
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{out.name}.', suffix='.partial', dir=out.parent) as scratch:
        whole = Path(scratch, 'new')
        notebooks = None if options.pages_only else write_browser_edition(whole / EDITION)
        site = Site(out, options.repository, notebooks)
        write_assets(whole / 'assets')
        exporter = Exporter()
        for page in site.pages:
            write_page(page, site, exporter, whole)
        write_census(site, exporter, whole)
        if out.exists():
            out.rename(Path(scratch, 'old'))
        whole.rename(out)
    print(f'{len(site.pages) + 1} pages; open {out / "index.html"}')
    if notebooks:
        print(f'to run them in a browser: python3 -m http.server --directory {options.out}, then http://localhost:8000')
    if site.github:
        print(f'badges for README, where GitHub Pages publishes this site:\n{badges(site.github)}')


def badges(github):
    """Markdown with the three ways to open the notebooks without a set-up of one's own."""
    owner, name = github.split('/')
    shields = 'https://img.shields.io/badge/run-in_your_browser-blue'
    return '\n'.join(
        [
            f'[![Run in your browser]({shields})](https://{owner.lower()}.github.io/{name}/)',
            f'[![Open in Binder](https://mybinder.org/badge_logo.svg)]({BINDER}/{github}/HEAD?urlpath=lab/tree/notebooks/index.ipynb)',
            f'[![Open in Codespaces](https://github.com/codespaces/badge.svg)]({CODESPACES}/{github})',
        ]
    )


def parse_arguments():
    parser = command.Parser('site', description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, default=ROOT / 'site', metavar='FOLDER', help='default: site')
    parser.add_argument(
        '--repository',
        type=lambda url: url.rstrip('/'),
        metavar='URL',
        help='where links to other files lead, e.g. https://github.com/OWNER/NAME; default: to this clone',
    )
    parser.add_argument('--pages-only', action='store_true', help='without the browser edition')
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
        self.reads_census = any(READS_CENSUS in cell.source for cell in self.notebook.cells)
        outputs = [output for cell in self.notebook.cells for output in cell.get('outputs', [])]
        self.has_charts = any(CHART in output.get('data', {}) for output in outputs)


class Site:
    """All pages, and what each of them shows of the others."""

    def __init__(self, out, repository, notebooks):
        self.out = out
        self.repository = repository
        self.notebooks = notebooks
        on_github = re.fullmatch(r'https://github\.com/([^/]+/[^/]+)', repository or '')
        self.github = on_github and on_github[1]
        # The map first, then the notebooks, then the folders below them.
        paths = [path for path in NOTEBOOKS.rglob('*.ipynb') if '.ipynb_checkpoints' not in path.parts]
        self.pages = sorted(map(Page, paths), key=lambda page: (page.part, page.path.stem != 'index', page.path))

    def source_link(self, target, html):
        if self.repository:
            return f'{self.repository}/{"tree" if target.is_dir() else "blob"}/HEAD/{target.relative_to(ROOT).as_posix()}'
        return os.path.relpath(target, (self.out / html).parent)

    def run_link(self, page):
        """Where the browser edition opens the notebook, and what it imports that does not run there."""
        if not self.notebooks:
            return None
        name = page.path.relative_to(ROOT).as_posix()
        app = os.path.relpath(EDITION / 'notebooks/index.html', page.html.parent)
        return {'href': f'{app}?path={name}', 'needs': self.notebooks[name]['needs']}

    def elsewhere(self, page):
        """Where else the notebook runs: of a repository on GitHub, Binder and Codespaces, without a set-up of one's own."""
        if not self.github:
            return []
        name = page.path.relative_to(ROOT).as_posix()
        return [
            {'title': 'Binder', 'href': f'{BINDER}/{self.github}/HEAD?urlpath=lab/tree/{name}'},
            {'title': 'Codespaces', 'href': f'{CODESPACES}/{self.github}'},
        ]

    def frame(self, html, title, source, scripts):
        """What stands around the content of a page."""

        def link(other, title):
            return {'href': os.path.relpath(other, html.parent), 'title': title, 'is_current': other == html}

        parts = dict.fromkeys(page.part for page in self.pages)
        contents = {part: [link(page.html, page.title) for page in self.pages if page.part == part] for part in parts}
        contents[''].append(link(CENSUS_PAGE, CENSUS_TITLE))
        return {
            'title': title,
            'name': source.name,
            'source': self.source_link(source, html),
            'is_start': html == Path('index.html'),
            'start': os.path.relpath('index.html', html.parent),
            'census': link(CENSUS_PAGE, CENSUS_TITLE),
            'assets': os.path.relpath('assets', html.parent),
            'scripts': scripts,
            'contents': [{'name': part, 'pages': links} for part, links in contents.items()],
        }


class Exporter(HTMLExporter):
    """nbconvert's, with our template, and with the links of the site. One for all pages, for it compiles its templates."""

    resolve = None  # of the page that is being written: where a link leads

    def __init__(self):
        super().__init__(
            extra_template_basedirs=[str(SOURCES)],
            template_name='template',
            exclude_input_prompt=True,
            exclude_output_prompt=True,
        )
        # Takes scripts out of the code of cells, which comes from Pygments: a third of the time, and nothing to be found.
        self.register_filter('clean_html', lambda html: html)
        self.register_filter('highlight_code', Highlight2HTML(pygments_lexer='typescript', parent=self))

    def from_notebook_node(self, notebook, resources):
        # HTMLExporter's own parses every page again, half of the time, for what only JupyterLab's template has.
        return super(HTMLExporter, self).from_notebook_node(notebook, resources)

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


def write_page(page, site, exporter, folder):
    def resolve(href):
        url = urlsplit(href)
        if url.scheme or url.netloc or not url.path:
            return href
        target = Path(os.path.normpath(page.path.parent / unquote(url.path)))
        # A folder of notebooks is its first one.
        other = next((other for other in site.pages if target in (other.path, other.path.parent)), None)
        new = os.path.relpath(other.html, page.html.parent) if other else site.source_link(target, page.html)
        return f'{new}#{url.fragment}' if url.fragment else new

    neighbors = [other for other in site.pages if other.part == page.part]
    index = neighbors.index(page)

    def neighbor(distance):
        if not 0 <= index + distance < len(neighbors):
            return None
        other = neighbors[index + distance]
        return {'href': os.path.relpath(other.html, page.html.parent), 'title': other.title}

    scripts = (CHART_SCRIPTS if page.has_charts else []) + PAGE_SCRIPTS
    frame = site.frame(page.html, page.title, page.path, scripts) | {
        'chart': CHART,
        'reads_census': READS_CENSUS,
        'run': site.run_link(page),
        'elsewhere': site.elsewhere(page),
        'previous': neighbor(-1),
        'next': neighbor(1),
    }
    resources = {'metadata': {'name': page.path.stem, 'path': str(page.path.parent)}, 'site': frame}
    exporter.resolve = resolve
    html, _ = exporter.from_notebook_node(page.notebook, resources=resources)
    write(folder / page.html, html)


def write_browser_edition(folder):
    """JupyterLite with the notebooks. Returns what is written there about each of them."""
    folder.parent.mkdir(parents=True)
    built = subprocess.run(['node', SOURCES / 'lite/main.mjs', folder])
    if built.returncode:
        sys.exit(built.returncode)
    return json.loads((folder / 'notebooks.json').read_text())


def write_census(site, exporter, folder):
    """The table that a person can search, from the rows that census.mjs prints."""
    census = json.loads(subprocess.run(['node', SOURCES / 'census.mjs'], check=True, stdout=subprocess.PIPE).stdout)
    explained_in = [{'href': page.html, 'title': page.title} for page in site.pages if page.reads_census]
    frame = site.frame(CENSUS_PAGE, CENSUS_TITLE, CENSUS, ['census'])
    template = exporter.environment.get_template('census.html.j2')
    write(folder / CENSUS_PAGE, template.render(site=frame | {'explained_in': explained_in}, **census))


def write(file, html):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(html, encoding='utf-8')


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
