"use strict";
(function () {
  var list = document.getElementById("list");
  var items = Array.prototype.slice.call(list.tBodies);
  var heads = Array.prototype.slice.call(list.tHead.rows[0].cells);
  var filter = document.getElementById("filter"), count = document.getElementById("count");
  document.getElementById("tools").hidden = false;

  filter.addEventListener("input", function () {
    var words = filter.value.toLowerCase().split(/\s+/), shown = 0;
    items.forEach(function (item) {
      var text = item.textContent.toLowerCase();
      item.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
      shown += item.hidden ? 0 : 1;
    });
    count.textContent = shown;
  });

  function value(item, place) {
    var cell = item.rows[0].cells[place], kept = cell.getAttribute("data-v");
    if (kept === null) { return cell.textContent; }
    if (!cell.classList.contains("n")) { return kept; }
    return kept === "" ? -Infinity : Number(kept);
  }

  heads.forEach(function (head, place) {
    var button = document.createElement("button"), up = true;
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      items.sort(function (a, b) {
        var x = value(a, place), y = value(b, place);
        var order = typeof x === "number" ? (x > y) - (x < y) : x.localeCompare(y);
        return up ? order : -order;
      });
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      up = !up;
      items.forEach(function (item) { list.appendChild(item); });
    });
  });

  // A text that begins like a formula gets an apostrophe, as in the exported table.
  var formula = /^[\s\p{Z}\p{C}]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]/u;
  // Spreadsheets with a decimal comma open files with semicolons between the columns.
  var separator = list.getAttribute("data-separator");
  function quoted(text, number) {
    if (number && separator === ";") { text = text.replace(".", ","); }
    var safe = !number && formula.test(text) ? "'" + text : text;
    return "\"" + safe.replace(/"/g, "\"\"") + "\"";
  }

  document.getElementById("save").addEventListener("click", function () {
    var first = heads.map(function (head) { return quoted(head.textContent); });
    list.getAttribute("data-more").split("|").forEach(function (name) {
      first.push(quoted(name));
    });
    var lines = [first.join(separator)];
    items.forEach(function (item) {
      if (item.hidden) { return; }
      var line = Array.prototype.map.call(item.rows[0].cells, function (cell) {
        var kept = cell.getAttribute("data-v");
        var text = kept === null ? cell.textContent : kept;
        return quoted(text, cell.classList.contains("n"));
      });
      [".sentence", ".checks"].forEach(function (name) {
        var found = item.querySelector(name);
        line.push(quoted(found ? found.textContent : ""));
      });
      lines.push(line.join(separator));
    });
    var file = new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" });
    var link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = "watch-list.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  });
})();
