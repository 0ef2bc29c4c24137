// Shows an opened finding: its cause, where and by how much the results differ, and the command that replays it.

const SVG = "http://www.w3.org/2000/svg";

// Returns a table whose first column is the head of each row. The other columns are numbers, except the columns in
// `words`.
function table(caption, head, rows, words = []) {
  const cell = (value, i, tag) => make(tag, {
    ...(i > 0 && !words.includes(i) ? { className: "number" } : {}), ...(tag === "th" ? { scope: head.includes(value) ? "col" : "row" } : {}) }, `${value}`);
  return make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": `${caption}, scrollable` },
    make("table", {}, make("caption", { className: "unseen" }, caption),
      make("thead", {}, make("tr", {}, ...head.map((value, i) => cell(value, i, "th")))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((value, i) => cell(value, i, i ? "td" : "th")))))));
}

function folded(title, ...children) {
  return make("details", {}, make("summary", {}, title), ...children);
}

// Returns the histogram as a chart with its values. histogram: [[difference, count], ...], ascending.
function histogramOf(histogram, mean) {
  const from = Math.min(...histogram.map(([difference]) => difference), -1);
  const to = Math.max(...histogram.map(([difference]) => difference), 1);
  const most = Math.max(...histogram.map(([, count]) => count));
  const chart = document.createElementNS(SVG, "svg");
  const width = to - from + 1;
  const said = histogram.map(([difference, count]) => `${signed(difference)}: ${count}`).join(", ");
  const attributes = { class: "histogram", viewBox: `0 0 ${width} 100`, preserveAspectRatio: "none", role: "img",
    "aria-label": `Histogram of actual minus expected. ${histogram.length > 12 ? `${histogram.length} different values` : said}` };
  for (const [name, value] of Object.entries(attributes)) chart.setAttribute(name, value);
  for (const [difference, count] of histogram) {
    const bar = document.createElementNS(SVG, "rect");
    const height = Math.max(2, 100 * count / most);
    const wide = Math.max(0.8, width / 200);
    const box = { class: difference < 0 ? "below" : "above", x: difference - from + 0.5 - wide / 2, y: 100 - height, width: wide, height };
    for (const [name, value] of Object.entries(box)) bar.setAttribute(name, value);
    bar.append(Object.assign(document.createElementNS(SVG, "title"), { textContent: `${signed(difference)}: ${count}` }));
    chart.append(bar);
  }
  const shown = histogram.length > 12 ? `${histogram.length} different values, from ${signed(histogram[0][0])} to ${signed(histogram.at(-1)[0])}` : said;
  return [make("h3", {}, "Differences"), chart,
    make("p", { className: "axis ends" }, make("span", {}, signed(from)), make("span", {}, "0"), make("span", {}, signed(to))),
    make("p", {}, `${shown}. Signed mean ${mean.replace("-", "\u2212")}.`)];
}

function touchedTable(touched) {
  return [make("h3", {}, "Where"), table("Rows, columns and channels that differ", ["dimension", "touched", "which"],
    touched.map(([name, extent, count, which]) => [name, `${count} of ${extent}`, which]), [2])];
}

function elementsTable(tensors, total) {
  const more = total - tensors.elements.length;
  return [make("h3", {}, "First differing elements"),
    table("First differing elements", ["index", "expected", "actual", "difference", "accumulator", "before rounding"],
      tensors.elements.map(([index, e, a, accumulator, scaled]) => [index, e, a, signed(a - e), accumulator, scaled])),
    more > 0 ? make("p", { className: "note" }, `... and ${more.toLocaleString("en")} more`) : null];
}

function nights(runs, count) {
  if (count < 2) return [];
  const marks = Array.from({ length: count }, (_, i) => make("span", { className: runs.includes(i) ? "met" : "" }));
  const said = `Met in ${runs.length} of ${count} runs; first in run ${runs[0] + 1}, last in run ${runs.at(-1) + 1}.`;
  return [make("p", { className: "note" }, said), make("div", { className: "nights", "aria-hidden": "true" }, ...marks)];
}

function knownNote(known) {
  if (!known) return null;
  const [reason, link] = known;
  const note = make("p", {}, make("strong", {}, "Known: "), reason, " ");
  if (/^https?:\/\//.test(link)) note.append(make("a", { href: link, rel: "noopener noreferrer" }, link));
  else note.append(link);
  return note;
}

function cause(finding, total) {
  if (finding.failure) return make("pre", {}, finding.failure);
  if (!finding.derivation) return null;
  return make("p", { className: "derivation" },
    `${finding.derivation}; that gives ${finding.explained} of the ${total} values.`);
}

// Fills `body` with finding `number`, counted from 1.
function showFinding(body, number, finding, runCount) {
  const tensors = finding.tensors;
  const total = tensors ? tensors.differing : 0;
  body.replaceChildren(...[make("h3", { className: "unseen" }, `Finding ${number}`), cause(finding, total), knownNote(finding.known),
    ...nights(finding.runs, runCount), copyable(finding.replay, "command that replays the case")].filter(Boolean));
  if (tensors) {
    const maps = tensors.left_out ? make("p", { className: "note" }, tensors.left_out)
      : new Maps(tensors, [finding.expected_name, finding.actual_name]).element;
    body.append(make("h3", {}, "Tensors"), maps,
      make("div", { className: "columns" }, make("div", {}, ...(tensors.histogram.length ? histogramOf(tensors.histogram, tensors.signed_mean) : [])),
        make("div", {}, ...touchedTable(tensors.touched))),
      ...elementsTable(tensors, total).filter(Boolean));
  }
  if (finding.explanation) {
    const steps = folded("The worst element, step by step", copyable(finding.explanation, "explanation", "wide"));
    steps.open = true;
    body.append(steps);
  }
  if (finding.original) body.append(folded("As it was drawn", copyable(finding.original, "case as it was drawn")));
  if (finding.python) body.append(folded("The same in torch alone, as a python script", copyable(finding.python, "python script", "wide")));
  body.append(make("p", { className: "note" }, [finding.granularity, finding.bias, `case ${finding.index} of its run`].filter(Boolean).join(", ")));
}
