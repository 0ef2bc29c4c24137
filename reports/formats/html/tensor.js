// Converts the tensors of a finding to planes of rows and columns, and to colours.

const dark = matchMedia("(prefers-color-scheme: dark)");

// The lightness increases evenly, and readers with colour blindness can distinguish blue from yellow.
const VALUES = [[0, 32, 76], [60, 77, 110], [124, 123, 120], [187, 174, 108], [255, 234, 70]];
const BELOW = { light: [5, 72, 140], dark: [120, 190, 255] };
const ABOVE = { light: [160, 62, 0], dark: [255, 170, 95] };
const ZERO = { light: [240, 240, 237], dark: [38, 42, 48] };

const mix = (a, b, t) => a.map((from, i) => Math.round(from + (b[i] - from) * t));

// Returns the colour of a value. t: 0..1 between the smallest and the largest value of both tensors.
function valueColour(t) {
  const at = Math.min(Math.floor(t * (VALUES.length - 1)), VALUES.length - 2);
  return mix(VALUES[at], VALUES[at + 1], t * (VALUES.length - 1) - at);
}

// Returns the colour of a difference. Zero is close to the page's colour; a difference of one is clearly visible,
// whatever the largest is.
function differenceColour(difference, largest) {
  const mode = dark.matches ? "dark" : "light";
  if (difference === 0) return ZERO[mode];
  const strength = 0.35 + 0.65 * Math.abs(difference) / Math.max(1, largest);
  return mix(ZERO[mode], (difference < 0 ? BELOW : ABOVE)[mode], strength);
}

const inkOn = ([r, g, b]) => (0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000" : "#fff");
const signed = (value) => (value > 0 ? `+${value}` : value < 0 ? `\u2212${-value}` : "0");

// Unpacks "tensors" of a finding. The last two dimensions make a plane; where they have a single element (a 1x1
// output), or in tensors of three dimensions, channels are the rows.
function tensorOf(packed) {
  const shape = packed.shape;
  // The bytes hold int8 values where packed.int8 is set.
  const typed = (bytes) => (packed.int8 ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes);
  const expected = typed(bytesOf(packed.expected));
  const actual = typed(bytesOf(packed.difference));
  for (let i = 0; i < actual.length; ++i) actual[i] += expected[i];  // modulo 256
  const inner = shape.slice(2).reduce((product, extent) => product * extent, 1);
  let [rows, columns] = shape.slice(-2);
  if (shape.length > 3 && inner === 1) [rows, columns] = shape;
  if (shape.length < 2) [rows, columns] = [1, expected.length];
  const size = rows * columns;
  const planes = size ? expected.length / size : 0;
  const differing = [];  // offsets of the elements that differ
  const perPlane = new Array(planes).fill(0);
  let largest = 0;
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < expected.length; ++i) {
    low = Math.min(low, expected[i], actual[i]);
    high = Math.max(high, expected[i], actual[i]);
    if (expected[i] === actual[i]) continue;
    differing.push(i);
    ++perPlane[Math.floor(i / size)];
    largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
  }
  return { shape, expected, actual, rows, columns, size, planes, differing, perPlane, largest, low, high };
}

function indexOf(offset, shape) {
  const index = [];
  for (let d = shape.length - 1; d >= 0; --d) {
    index.unshift(offset % shape[d]);
    offset = Math.floor(offset / shape[d]);
  }
  return index;
}

const NAMES = { 3: ["image", "channel", "column"], 4: ["image", "channel", "row", "column"],
  5: ["image", "channel", "depth", "row", "column"] };

// Returns the name of a plane, "image 0, channel 3".
function planeName(tensor, plane) {
  const names = NAMES[tensor.shape.length] ?? tensor.shape.map((_, i) => `dimension ${i}`);
  const first = indexOf(plane * tensor.size, tensor.shape);
  const last = indexOf(plane * tensor.size + tensor.size - 1, tensor.shape);
  const fixed = names.map((name, d) => (first[d] === last[d] && tensor.shape[d] > 1 ? `${name} ${first[d]}` : ""));
  return fixed.filter(Boolean).join(", ") || "the only plane";
}

// Texts and colours that the three maps show for an element of a plane.
const FIELDS = [
  { text: (t, i) => `${t.expected[i]}`,
    colour: (t, i) => valueColour((t.expected[i] - t.low) / Math.max(1, t.high - t.low)) },
  { text: (t, i) => `${t.actual[i]}`,
    colour: (t, i) => valueColour((t.actual[i] - t.low) / Math.max(1, t.high - t.low)) },
  { text: (t, i) => signed(t.actual[i] - t.expected[i]),
    colour: (t, i) => differenceColour(t.actual[i] - t.expected[i], t.largest) },
];

function sized(canvas, width, height) {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return context;
}

const FOR_NUMBERS = 24;  // minimum size of a cell that shows its number, pixels

// Returns a canvas with one pixel per element.
function pixelsOf(tensor, field, plane) {
  const pixels = new ImageData(tensor.columns, tensor.rows);
  for (let i = 0; i < tensor.size; ++i) pixels.data.set([...field.colour(tensor, plane * tensor.size + i), 255], 4 * i);
  const canvas = new OffscreenCanvas(tensor.columns, tensor.rows);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

// Draws a map. pixels: result of pixelsOf(). scale: pixels per cell. cursor: an offset in the plane.
function drawPlane(canvas, pixels, tensor, field, plane, scale, cursor) {
  const { rows, columns, size } = tensor;
  const context = sized(canvas, columns * scale, rows * scale);
  context.imageSmoothingEnabled = false;
  context.drawImage(pixels, 0, 0, columns * scale, rows * scale);
  if (scale >= FOR_NUMBERS) {
    context.font = `${Math.min(13, scale * 0.4)}px sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < size; ++i) {
      const text = field.text(tensor, plane * size + i);
      if (text === "0" && field === FIELDS[2]) continue;  // zeros are omitted, so that differences are easy to find
      context.fillStyle = inkOn(field.colour(tensor, plane * size + i));
      context.fillText(text, (i % columns + 0.5) * scale, (Math.floor(i / columns) + 0.5) * scale);
    }
  }
  const [x, y] = [(cursor % columns) * scale, Math.floor(cursor / columns) * scale];
  const frame = Math.max(scale, 5);
  for (const [colour, inset] of [["#000", -1], ["#fff", 0.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.strokeRect(x + inset, y + inset, frame - 2 * inset, frame - 2 * inset);
  }
}
