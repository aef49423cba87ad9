/**
 * NaN has one color wherever it is shown: a cross in a lane outside the axes or a cell of a map in a figure, a pixel in a grid of
 * images, a number in a table.
 */
export const NAN_COLOR = '#B00020';
