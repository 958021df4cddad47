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
  const rowSource = new WeakMap();
  for (const row of document.querySelectorAll("[data-key]")) rowSource.set(row, row.outerHTML);
  localise(document);

  // How many results or jobs are chosen.
  const form = document.querySelector("form.selection");
  let show = () => {};
  if (form) {
    const boxes = () => [...form.elements].filter((box) => (box.name === "item" || box.name === "job") && !box.disabled);
    const all = form.querySelector("#all");
    const chosen = form.querySelector("#chosen");
    const text = chosen.textContent;
    all.hidden = false;
    form.querySelector("#all-text").hidden = false;
    show = () => {
      const count = boxes().filter((box) => box.checked).length;
      const next = count === 0 ? text : `${count} chosen`;
      if (chosen.textContent !== next) chosen.textContent = next;
      all.checked = count > 0 && count === boxes().length;
      all.indeterminate = count > 0 && count < boxes().length;
    };
    all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; show(); });
    document.addEventListener("change", show);
    show();
  }

  // What has changed since is fetched and put in place, at most once in two seconds, and not while nobody looks.
  const regions = () => [...document.querySelectorAll("[data-live][id]")];
  const live = document.querySelector("#live");
  const original = new Map();
  const source = (element) => element.outerHTML;
  // A list of which only the rows that have changed are replaced: what is chosen, played or read in others stays.
  const rowsOf = (region) => region.matches("[data-rows]") ? region : region.querySelector("[data-rows]");
  const isBusy = (row) => (row.contains(document.activeElement) && document.activeElement !== document.body)
    || [...row.querySelectorAll("video, audio")].some((media) => !media.paused);
  const mergeRows = (old, fresh) => {
    const [list, next] = [rowsOf(old), rowsOf(fresh)];
    if (!list || !next || ![...list.children, ...next.children].every((row) => row.dataset.key) || next.children.length === 0) return false;
    const known = new Map([...list.children].map((row) => [row.dataset.key, row]));
    let place = list.firstElementChild;
    for (const row of [...next.children]) {
      const was = known.get(row.dataset.key);
      known.delete(row.dataset.key);
      let shown = was;
      if (!was || (rowSource.get(was) !== source(row) && !isBusy(was))) {
        shown = document.adoptNode(row);
        rowSource.set(shown, source(row));
        for (const box of shown.querySelectorAll("input[type=checkbox]")) {
          box.checked = was?.querySelector(`input[name="${box.name}"]`)?.checked ?? false;
        }
        localise(shown);
        if (was === place) place = was?.nextElementSibling ?? null;
        was?.remove();
      }
      if (shown === place) place = place.nextElementSibling; else list.insertBefore(shown, place);
    }
    for (const row of known.values()) if (!isBusy(row)) row.remove();
    const [pager, nextPager] = [old.querySelector(".pager"), fresh.querySelector(".pager")];
    if (pager && nextPager && !isBusy(pager)) pager.replaceWith(document.adoptNode(nextPager));
    list.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  };
  if (live && regions().length > 0 && "EventSource" in window) {
    let stream = null, timer = null, last = 0, isFirst = true, hasMissed = false;
    // Whether a job is in the list, or could be: a new one comes to the first page alone.
    const isShown = ({ job, queue, batch }) => {
      if (document.querySelector(`[data-job="${Number(job)}"]`)) return true;
      const asked = new URLSearchParams(location.search);
      const fits = (name, value) => !asked.get(name) || asked.get(name) === value;
      return !asked.has("before") && !asked.has("after") && fits("queue", queue) && fits("batch", batch);
    };
    const refresh = async () => {
      timer = null;
      last = Date.now();
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
      if (!answer?.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of regions()) {
        const fresh = page.getElementById(old.id);
        if (!fresh || original.get(old.id) === source(fresh)) continue;
        const text = source(fresh);
        if (mergeRows(old, fresh)) { original.set(old.id, text); continue; }
        // Nothing is taken from under a reader's hands.
        if (old.contains(document.activeElement) && document.activeElement !== document.body) continue;
        if ([...old.querySelectorAll("video, audio")].some((media) => !media.paused)) continue;
        const checked = new Set([...old.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
        const open = [...old.querySelectorAll("details")].map((details) => details.open);
        original.set(old.id, text);
        localise(fresh);
        old.replaceWith(document.adoptNode(fresh));
        fresh.querySelectorAll("details").forEach((details, index) => { details.open = open[index] ?? false; });
        for (const box of fresh.querySelectorAll("input[type=checkbox]")) box.checked = checked.has(box.value);
        show();
      }
    };
    const connect = () => {
      if (stream || document.hidden) return;
      stream = new EventSource("/api/v1/live");
      const later = () => { timer ??= setTimeout(refresh, Math.max(0, 2000 - (Date.now() - last))); };
      stream.addEventListener("status", () => {
        live.textContent = "live";
        if (isFirst) { isFirst = false; return; }
        // A list is told which jobs have changed.
        if (!document.querySelector("[data-rows]") || hasMissed) later();
        hasMissed = false;
      });
      stream.addEventListener("jobs", (event) => {
        const { jobs, complete } = JSON.parse(event.data);
        if (!document.querySelector("[data-rows]")) return;
        if (!complete || jobs.some(isShown)) later();
      });
      stream.addEventListener("error", () => { live.textContent = ""; hasMissed = true; });
    };
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) { connect(); return; }
      stream?.close();
      stream = null;
      live.textContent = "";
      isFirst = false;
      hasMissed = true;
    });
    addEventListener("pagehide", () => stream?.close());
    connect();
  }
})();
