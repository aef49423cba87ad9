// What npm run site writes, built once for both: its pages, and the browser edition.
import './site/pages.mjs';
import './site/browser-edition.mjs';
