import type { Config } from 'vega-lite';
import { FONT_FAMILY } from './font';

const INK = '#222222';
const QUIET_INK = '#555555';
const GRID = '#e3e3e3';

/** The look of every chart. Background and inks are set, so that a dark theme cannot put white text on white. */
export const CHART_CONFIG: Config = {
  background: 'white',
  numberFormat: '.4~g', // of tooltips, too
  padding: 8,
  font: FONT_FAMILY,
  view: { continuousWidth: 480, continuousHeight: 280, stroke: null },
  title: {
    anchor: 'start',
    frame: 'group',
    color: INK,
    fontSize: 14,
    fontWeight: 'bold',
    offset: 12,
    subtitleColor: QUIET_INK,
    subtitleFontSize: 12,
    subtitlePadding: 4,
  },
  axis: {
    domainColor: QUIET_INK,
    tickColor: QUIET_INK,
    gridColor: GRID,
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelFlush: false,
  },
  axisXDiscrete: { labelAngle: 0 },
  legend: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  },
  header: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  },
  text: { color: INK, fontSize: 11 },
};
