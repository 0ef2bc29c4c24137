// Unpacks what html_payload.cpp packed: JSON, deflated, in base64. A block is unpacked when one of its findings is
// opened.

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

async function unpacked(element) {
  const stream = new Blob([bytesOf(element.textContent)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

const blocks = document.querySelectorAll("script.block");
const unpackedBlocks = new Map();

// Returns the contents of finding `number`, counted from 0.
async function contentsOf(number, perBlock) {
  const at = Math.floor(number / perBlock);
  if (!unpackedBlocks.has(at)) unpackedBlocks.set(at, unpacked(blocks[at]));
  return (await unpackedBlocks.get(at))[number % perBlock];
}

// Returns an element: make("p", {className: "note"}, "text", child, ...). Texts are always inserted as text, never as
// markup.
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const announcer = make("p", { className: "unseen", role: "status" });
document.body.append(announcer);
const announce = (text) => { announcer.textContent = text; };

// Copies the text. Without access to the clipboard the source is selected and copied by the browser's command; if that
// fails, too, the reader can copy the selection.
async function copy(text, button, source) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    announce("Copied");
  } catch {
    getSelection().selectAllChildren(source);
    const done = document.execCommand("copy");
    button.textContent = done ? "Copied" : "Selected";
    announce(done ? "Copied" : "Selected: press Control C");
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function copyable(text, label, className = "") {
  const pre = make("pre", { className, tabIndex: 0, role: "region", "aria-label": label }, text);
  const button = make("button", { type: "button", "aria-label": `Copy: ${label}` }, "Copy");
  button.addEventListener("click", () => copy(text, button, pre));
  return make("div", { className: "copyable" }, pre, button);
}
