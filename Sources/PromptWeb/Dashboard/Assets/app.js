// Makes pages live; all of them work without it.
"use strict";

(() => {
  // Times in the reader's own zone.
  const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const today = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const date = new Date(time.dateTime);
      if (Number.isNaN(date.valueOf())) continue;
      const isToday = date.toDateString() === new Date().toDateString();
      time.title = time.textContent;
      time.textContent = time.hasAttribute("data-exact") ? (isToday ? "" : short.format(date).split(",")[0] + " ") + exact.format(date)
        : isToday ? today.format(date) : short.format(date);
    }
  };
  localise(document);

  // How many results are chosen.
  const form = document.querySelector("form.selection");
  if (form) {
    const boxes = [...form.querySelectorAll("input[name=item], input[name=job]")].filter((box) => !box.disabled);
    const all = form.querySelector("#all");
    const chosen = form.querySelector("#chosen");
    const text = chosen.textContent;
    all.hidden = false;
    form.querySelector("#all-text").hidden = false;
    const show = () => {
      const count = boxes.filter((box) => box.checked).length;
      chosen.textContent = count === 0 ? text : `${count} chosen`;
      all.checked = count > 0 && count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
    };
    all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; show(); });
    form.addEventListener("change", show);
    show();
  }
})();
