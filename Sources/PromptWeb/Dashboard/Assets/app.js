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
  if (live && regions().length > 0 && "EventSource" in window) {
    let stream = null, timer = null, last = 0, isFirst = true;
    const refresh = async () => {
      timer = null;
      last = Date.now();
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
      if (!answer?.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of regions()) {
        const fresh = page.getElementById(old.id);
        if (!fresh || original.get(old.id) === source(fresh)) continue;
        // Nothing is taken from under a reader's hands.
        if (old.contains(document.activeElement) && document.activeElement !== document.body) continue;
        if ([...old.querySelectorAll("video, audio")].some((media) => !media.paused)) continue;
        const checked = new Set([...old.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
        const open = [...old.querySelectorAll("details")].map((details) => details.open);
        original.set(old.id, source(fresh));
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
      stream.addEventListener("status", () => {
        live.textContent = "live";
        if (isFirst) { isFirst = false; return; }
        timer ??= setTimeout(refresh, Math.max(0, 2000 - (Date.now() - last)));
      });
      stream.addEventListener("error", () => { live.textContent = ""; });
    };
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) { connect(); return; }
      stream?.close();
      stream = null;
      live.textContent = "";
      isFirst = false;
    });
    addEventListener("pagehide", () => stream?.close());
    connect();
  }
})();
