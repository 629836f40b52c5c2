// Lets a reader sort the tables that may be sorted. Nothing of the report depends on it.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const handle = document.createElement("span");
    handle.append(...head.childNodes);
    handle.setAttribute("role", "button");
    handle.tabIndex = 0;
    handle.title = "sort by this column";
    head.append(handle);
    handle.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); handle.click(); }
    });
    handle.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      const key = (row) => {
        const cell = row.cells[column];
        const marked = cell.querySelector("[data-value]");
        return cell.dataset.value ?? (marked ? marked.dataset.value : cell.textContent.trim());
      };
      const number = (text) => (text.trim() === "" ? NaN : Number(text));
      const compare = (one, other) => {
        const [a, b] = [key(one), key(other)];
        const [x, y] = [number(a), number(b)];
        if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
        const order = Number.isNaN(x) ? a.localeCompare(b) : x - y;
        return up ? order : -order;
      };
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort(compare));
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
    });
  });
}
