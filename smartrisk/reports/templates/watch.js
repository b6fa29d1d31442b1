"use strict";
(function () {
  var list = document.getElementById("list"), body = list.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var filter = document.getElementById("filter"), count = document.getElementById("count");
  document.getElementById("tools").hidden = false;
  filter.addEventListener("input", function () {
    var words = filter.value.toLowerCase().split(/\s+/), shown = 0;
    rows.forEach(function (row) {
      var text = row.textContent.toLowerCase();
      var fits = words.every(function (word) { return text.indexOf(word) >= 0; });
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = shown;
  });
  function value(row, place) {
    var cell = row.cells[place], number = cell.getAttribute("data-v");
    return number === null ? cell.textContent : (number === "" ? -Infinity : Number(number));
  }
  Array.prototype.forEach.call(list.tHead.rows[0].cells, function (head, place) {
    var button = document.createElement("button"), up = true;
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      rows.sort(function (a, b) {
        var x = value(a, place), y = value(b, place);
        var order = typeof x === "number" ? x - y : x.localeCompare(y);
        return up ? order : -order;
      });
      Array.prototype.forEach.call(list.tHead.rows[0].cells, function (other) {
        other.removeAttribute("aria-sort");
      });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      up = !up;
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
})();
