// Shows the list of findings with filters and pages, and unpacks a finding when it is opened.

const list = document.getElementById("list");

class FindingList {
  constructor(index) {
    this.index = index;  // each entry: [status, kind, engine, instruction set, path, size, case line]
    this.perPage = Number(list.dataset.perPage);
    this.perBlock = Number(list.dataset.perBlock);
    this.runs = Number(list.dataset.runs);
    this.found = index.map((_, number) => number);
    this.page = 0;
    this.text = document.getElementById("filter-text");
    this.selects = [0, 1, 2, 3, 4].map((column) => document.getElementById(`filter-${column}`));
    this.pageButtons = ["first", "previous", "next", "last"].map((id) => document.getElementById(id));
    this.prepareFilters();
    this.pageButtons.forEach((button, i) => button.addEventListener("click", () => {
      this.show([0, this.page - 1, this.page + 1, this.pages - 1][i]);
      document.getElementById("findings").scrollIntoView();
    }));
    this.showPages();
  }

  get pages() { return Math.max(1, Math.ceil(this.found.length / this.perPage)); }

  prepareFilters() {
    this.selects.forEach((select, column) => {
      const counts = new Map();
      for (const row of this.index) counts.set(row[column], (counts.get(row[column]) ?? 0) + 1);
      for (const [value, count] of [...counts].sort()) {
        select.append(make("option", { value }, `${value || "none"} (${count.toLocaleString("en")})`));
      }
      select.addEventListener("change", () => this.filter());
    });
    let waiting = 0;
    this.text.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.filter(), 120);  // waits for a pause in typing
    });
    const form = document.getElementById("filters");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
  }

  filter() {
    const words = this.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = this.selects.map((select) => (select.selectedIndex > 0 ? select.value : null));
    this.found = [];
    this.index.forEach((row, number) => {
      if (wanted.some((value, column) => value !== null && row[column] !== value)) return;
      const line = words.length ? row[6].toLowerCase() : "";
      if (words.every((word) => line.includes(word))) this.found.push(number);
    });
    this.show(0);
  }

  show(page) {
    this.page = Math.min(Math.max(0, page), this.pages - 1);
    const from = this.page * this.perPage;
    list.replaceChildren(...this.found.slice(from, from + this.perPage).map((number) => this.row(number)));
    this.showPages();
  }

  row(number) {
    const item = document.getElementById("row").content.firstElementChild.cloneNode(true);
    const [status, kind, engine, isa, path, size, line] = this.index[number];
    item.id = `finding-${number + 1}`;
    item.dataset.number = number + 1;
    const texts = { ".status": status, ".kind": kind, ".engine": engine, ".isa": isa, ".path": path, ".size": size, ".line": line };
    for (const [selector, text] of Object.entries(texts)) item.querySelector(selector).textContent = text;
    item.querySelector(".status").className = `status ${status}`;
    item.querySelector(".body").replaceChildren();
    return item;
  }

  showPages() {
    const text = (count) => count.toLocaleString("en");
    const [found, all] = [this.found.length, this.index.length];
    document.getElementById("count").textContent = found === all ? `${text(all)} ${all === 1 ? "finding" : "findings"}`
      : `${text(found)} of ${text(all)} findings`;
    document.getElementById("pages").hidden = this.pages === 1;
    document.getElementById("page").textContent = `Page ${text(this.page + 1)} of ${text(this.pages)}`;
    this.pageButtons.forEach((button, i) => {
      button.disabled = i < 2 ? this.page === 0 : this.page === this.pages - 1;
    });
  }

  async open(item) {
    const body = item.querySelector(".body");
    if (body.dataset.shown) return;
    body.dataset.shown = "yes";
    const number = Number(item.dataset.number);
    try {
      showFinding(body, number, await contentsOf(number - 1, this.perBlock), this.runs);
    } catch (error) {
      delete body.dataset.shown;
      body.append(make("p", { className: "bad" }, `This finding cannot be unpacked here: ${error.message}`));
    }
  }

  // Opens the finding that the address names, as in #finding-17, on its page of the list.
  follow() {
    const number = Number(/^#finding-(\d+)$/.exec(location.hash)?.[1] ?? 0) - 1;
    const at = this.found.indexOf(number);
    if (at < 0) return;
    const page = Math.floor(at / this.perPage);
    if (page !== this.page) this.show(page);
    const item = document.getElementById(`finding-${number + 1}`);
    item.querySelector("details").open = true;
    item.scrollIntoView();
  }
}

for (const box of document.querySelectorAll("#run .copyable, .cause .copyable")) {
  const pre = box.querySelector("pre");
  const button = make("button", { type: "button", "aria-label": `Copy: ${pre.getAttribute("aria-label")}` }, "Copy");
  button.addEventListener("click", () => copy(pre.textContent, button, pre));
  box.append(button);
}

if (list) {
  try {
    const findings = new FindingList(await unpacked(document.getElementById("index")));
    list.addEventListener("toggle", (event) => {
      const item = event.target.parentElement;
      if (event.target.open && item.classList.contains("finding")) findings.open(item);
    }, true);
    for (const details of list.querySelectorAll(".finding > details[open]")) findings.open(details.parentElement);
    addEventListener("hashchange", () => findings.follow());
    findings.follow();
  } catch (error) {
    list.before(make("p", { className: "bad", role: "alert" },
      `Only the first findings' headlines are shown: this browser cannot unpack the others (${error.message}).`));
  }
}
document.documentElement.dataset.ready = "yes";
