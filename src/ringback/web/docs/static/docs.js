// What a script adds to pages that work without one: results below the search field, "/" to get there, copy buttons,
// one language on all examples, dark or light.
(() => {
  "use strict";
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const kept = {
    get: (name) => {
      try { return localStorage.getItem(name); } catch { return null; }
    },
    set: (name, value) => {
      try { localStorage.setItem(name, value); } catch { /* no storage: it holds for this page */ }
    },
  };

  // Links of older versions: /docs#error-21211.
  const old = /^#error-(\d{5})$/.exec(location.hash);
  if (old && location.pathname === "/docs") location.replace(`/docs/errors/${old[1]}`);

  // --- dark or light
  const theme = $("#theme");
  theme.hidden = false;
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const tell = () => theme.setAttribute("aria-pressed", String(dark()));
  theme.setAttribute("aria-label", "Dark colours");
  tell();
  theme.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    kept.set("ringback-theme", next);
    tell();
  });

  // --- the menu is closed on narrow screens
  const menu = $("#menu");
  const narrow = matchMedia("(max-width: 60rem)");
  const fit = () => { menu.open = !narrow.matches; };
  fit();
  narrow.addEventListener("change", fit);
  const side = $(".side");
  const here = $('[aria-current="page"]', side);
  if (here) side.scrollTop = here.offsetTop - side.clientHeight / 2;  // the page itself stays where it is

  // --- copy
  const said = document.createElement("div");
  said.className = "unseen";
  said.setAttribute("role", "status");
  document.body.append(said);
  const copyText = async (text) => {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");  // plain HTTP on another host: the old way
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("not copied");
  };
  for (const block of $$(".code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    const what = $(".lang", block)?.textContent;
    button.setAttribute("aria-label", what ? `Copy ${what}` : "Copy");
    button.addEventListener("click", async () => {
      let answer = "Copied";
      try { await copyText($("code", block).textContent); } catch { answer = "Not copied"; }
      button.textContent = said.textContent = answer;
      setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 1500);
    });
    $(".bar", block).append(button);
  }

  // --- one language everywhere
  const speak = (language) => {
    for (const input of $$(`.example input[value="${language}"]`)) input.checked = true;
  };
  const spoken = kept.get("ringback-language");
  if (["curl", "python", "node"].includes(spoken)) speak(spoken);
  // Examples of other lengths have moved what the address names.
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".example input")) return;
    const before = event.target.getBoundingClientRect().top;
    speak(event.target.value);
    kept.set("ringback-language", event.target.value);
    scrollBy(0, event.target.getBoundingClientRect().top - before);
  });

  // --- the part of the page that is being read
  const links = new Map($$(".contents a").map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const heads = $$("article h2[id]").filter((head) => links.has(head.id));
  const follow = () => {
    const passed = heads.filter((head) => head.getBoundingClientRect().top < 140);
    const now = passed.at(-1) ?? heads[0];
    for (const [id, link] of links) {
      if (id === now?.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  if (heads.length) {
    addEventListener("scroll", follow, { passive: true });
    follow();
  }

  // --- search
  const field = $("#q");
  const found = $("#found");
  const form = field.form;
  let at = -1;
  let asked = 0;
  found.id = "found";
  found.setAttribute("role", "listbox");
  found.setAttribute("aria-label", "Results");
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-expanded", "false");
  field.setAttribute("aria-controls", "found");
  field.setAttribute("aria-autocomplete", "list");
  const close = () => {
    found.hidden = true;
    at = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (number) => {
    const options = $$("[role=option]", found);
    if (!options.length) return;
    at = (number + options.length) % options.length;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    field.setAttribute("aria-activedescendant", options[at].id);
    options[at].scrollIntoView({ block: "nearest" });
  };
  const show = (hits) => {
    found.replaceChildren();
    at = -1;
    field.removeAttribute("aria-activedescendant");
    hits.forEach((hit, index) => {
      const option = document.createElement("a");
      option.href = hit.url;
      option.id = `hit-${index}`;
      option.tabIndex = -1;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      const name = document.createElement("strong");
      name.textContent = hit.name;
      const kind = document.createElement("em");
      kind.textContent = hit.kind;
      const where = document.createElement("span");
      where.textContent = hit.where;
      option.append(name, kind, where);
      found.append(option);
    });
    if (!hits.length) {
      const none = document.createElement("p");
      none.textContent = "Nothing found";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      found.append(none);
    }
    found.hidden = false;
    field.setAttribute("aria-expanded", "true");
  };
  const ask = async () => {
    const query = field.value.trim();
    const mine = ++asked;
    if (!query) return close();
    try {
      const answer = await fetch(`/docs/search.json?q=${encodeURIComponent(query)}`);
      const hits = await answer.json();
      if (mine === asked && document.activeElement === field) show(hits);
    } catch {
      close();  // Enter still leads to the page of results
    }
  };
  let timer = 0;
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 90); });
  field.addEventListener("focus", () => { if (field.value.trim()) ask(); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (found.hidden) field.blur(); else close();
      event.preventDefault();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (found.hidden) return;
      choose(at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1));
      event.preventDefault();
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      const link = $$("a[role=option]", found)[at];
      if (link) { close(); location.assign(link.href); }
    }
  });
  document.addEventListener("pointerdown", (event) => { if (!form.contains(event.target)) close(); });
  form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
    if ((event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) || command) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  });
})();
