// What npm run site writes, built once for all: its pages, and the browser edition with its compiler. In one file, for two at a
// time would install its tools twice.
import './site/compile.mjs';
import './site/pages.mjs';
import './site/browser-edition.mjs';
