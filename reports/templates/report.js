"use strict";
// Draws the rows somebody looks at from the data in the page. Texts come from strangers: textContent only.
(() => {
  const SEVERITIES = ["critical", "high", "medium", "low", "info"];
  const OUTCOMES = ["fail", "unknown", "waived", "pass", "n/a"];
  const PAGE = 100, OURS = /^#(?:[qf]=|plf1-)/;
  const $ = (id) => document.getElementById(id);
  const box = $("data");
  let data, all = [], view = [], drawn = 0, query = "", column = -1, down = false, open = "", settling = 0, tongue = 0;

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined) continue;
      if (name === "onclick") node.addEventListener("click", value);
      else node.setAttribute(name, value);
    }
    for (const child of children) if (child !== null && child !== "") node.append(child);
    return node;
  }

  // A text of ours in the language that is chosen, with each {name} replaced by its value; English is the key.
  const t = (english, values) => fill(data?.script[english]?.[tongue - 1] ?? english, values);
  const tn = (one, many, n, values) => fill(data?.script[one]?.[tongue - 1] ?? (n === 1 ? one : many), { n: number(n), ...values });
  const fill = (text, values) => values ? text.replace(/\{([a-z_]+)\}/g, (place, name) => Object.hasOwn(values, name) ? values[name] : place) : text;
  const number = (n) => n.toLocaleString("en");
  // A text of the data: the same in every language, or a form per language with its values.
  const say = (text, language = tongue) => typeof text === "string" ? text :
    data.forms[text[0]][language].replace(/[\ue000-\ue0ff]/g, (place) => text[place.charCodeAt(0) - 0xdfff]);
  const comma = () => tongue ? "、" : ", ";

  async function unpack() {
    const bytes = Uint8Array.from(atob(box.textContent.trim()), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  // One row of the data; the order of the fields is that of html.py.  Fields are looked up when they are needed.
  class Row {
    constructor(fields, index) { this.fields = fields; this.index = index; this.text = ""; this.held = null; }
    get id() { return "plf1-" + this.fields[0]; }
    get rule() { return data.rules[this.fields[1]]; }
    get severity() { return this.fields[2]; }
    get outcome() { return this.fields[3]; }
    get type() { return say(data.pool[this.fields[4]]); }
    get resource() { return this.fields[5]; }
    get name() { return data.pool[this.fields[6]]; }
    get account() { return data.pool[this.fields[7]]; }
    get region() { return data.pool[this.fields[8]]; }
    get owners() { return this.held ||= this.fields[9].map(([side, owner]) => [side, data.pool[owner]]); }
    get observed() { return say(this.fields[10]); }
    get reason() { return say(data.pool[this.fields[11]]); }
    get summary() { return say(data.pool[this.fields[12]]); }
    get cli() { return this.fields[13]; }
    get terraform() { return this.fields[14]; }
    get console() { return say(this.fields[15]); }
    get related() { return this.fields[16].map(([kind, key]) => [say(data.pool[kind]), data.pool[key]]); }
    get gaps() { return this.fields[17].map((gap) => say(data.pool[gap])); }
    get seen() { return data.pool[this.fields[18]]; }
    get fresh() { return this.fields[19]; }
    get waiver() { return this.fields[20] && this.fields[20].map((part) => data.pool[part]); }
    get places() { return this.fields[21].map((place) => data.pool[place]); }
    // all that words are looked for in
    get words() {
      return this.text ||= [this.id, this.rule[0], say(this.rule[1]), this.type, this.resource, this.name, this.account, this.region,
        this.observed, this.reason, this.summary, owned(this), SEVERITIES[this.severity], OUTCOMES[this.outcome],
        t(SEVERITIES[this.severity]), t(OUTCOMES[this.outcome]),
        ...this.related.map(([, key]) => key)].join("\n").toLowerCase();
    }
  }

  const owned = (item) => item.owners.map(([side, account]) => account ? t("{side} {account}", { side: t(side), account }) :
    t("{side} (account not known)", { side: t(side) })).join(t(" and "));

  // The words of many rows are put together while nobody waits, so that the first filter is as quick as the next.
  function prepare(place) {
    const end = performance.now() + 12;
    for (; place < all.length && performance.now() < end; place++) void all[place].words;
    if (place < all.length) setTimeout(() => prepare(place), 4);
  }

  const KEYS = {
    sev: (item, value) => SEVERITIES[item.severity] === value,
    out: (item, value) => OUTCOMES[item.outcome] === value,
    side: (item, value) => item.owners.some(([side]) => side === value),
    account: (item, value) => item.account.startsWith(value) || item.owners.some(([, account]) => account.startsWith(value)),
    turn: (item, value) => item.owners.some(([, account]) => account === value),
    region: (item, value) => item.region.toLowerCase() === value,
    rule: (item, value) => item.rule[0].toLowerCase().startsWith(value),
    in: (item, value) => item.places.some((place) => place.toLowerCase() === value),
  };

  function tokens(text) {
    return [...text.matchAll(/(?:(\w+):)?(?:"([^"]*)"?|(\S+))/g)].map(([whole, key, quoted, bare]) => {
      if (key && Object.hasOwn(KEYS, key)) return { key, values: (quoted ?? bare).split(",").filter(Boolean) };
      return { word: key ? whole.replaceAll('"', "") : quoted ?? bare };
    });
  }

  function matches(text) {
    const tests = tokens(text).map(({ key, values, word }) => {
      if (key) {
        const wanted = values.map((value) => value.toLowerCase());
        return (item) => wanted.some((value) => KEYS[key](item, value));
      }
      const low = word.toLowerCase();
      return low === "new" ? (item) => item.fresh === 1 : (item) => item.words.includes(low);
    });
    return (item) => tests.every((test) => test(item));
  }

  const chosen = (key) => new Set(tokens($("q").value).filter((token) => token.key === key).flatMap((token) => token.values.map((value) => value.toLowerCase())));

  function choose(key, values) {
    const rest = tokens($("q").value).filter((token) => token.key !== key);
    if (values.length) rest.push({ key, values });
    $("q").value = rest.map(written).join(" ");
    apply();
  }

  // Puts a word into the filter, or takes it out again.
  function word(text) {
    const here = tokens($("q").value), kept = here.filter((token) => token.word?.toLowerCase() !== text);
    $("q").value = (kept.length < here.length ? kept : [...here, { word: text }]).map(written).join(" ");
    apply();
  }

  function written({ key: name, values: list, word }) {
    const text = name ? list.join(",") : word, quoted = /\s/.test(text) ? `"${text}"` : text;
    return name ? name + ":" + quoted : quoted;
  }

  function chips() {
    $("chips").replaceChildren();
    const count = (test) => all.reduce((sum, item) => sum + (test(item) ? 1 : 0), 0);
    const group = (label, key, values) => {
      const found = values.map((value) => [value, count((item) => KEYS[key](item, value.toLowerCase()))]).filter(([, number]) => number);
      if (found.length) $("chips").append(el("span", { role: "group", "aria-label": label }, label, ...found.map(([value, number]) =>
        el("button", { type: "button", "aria-pressed": "false", "data-key": key, "data-value": value, onclick: () => {
          const set = chosen(key), low = value.toLowerCase();
          if (!set.delete(low)) set.add(low);
          choose(key, [...set]);
        } }, `${t(value)} ${number}`))));
    };
    group(t("Severity"), "sev", SEVERITIES);
    group(t("Outcome"), "out", OUTCOMES);
    const fresh = count((item) => item.fresh === 1);
    if (fresh) $("chips").append(el("span", { role: "group", "aria-label": t("Since the last scan") }, t("Since the last scan"),
      el("button", { type: "button", "aria-pressed": "false", "data-word": "new", onclick: () => word("new") }, `${t("new")} ${fresh}`)));
    group(t("Fix by side"), "side", ["consumer", "provider", "both"]);
    const accounts = [...new Set(all.flatMap((item) => item.owners.map(([, account]) => account)))].filter(Boolean).sort();
    if (accounts.length <= 8) group(t("Fix by account"), "turn", accounts);
    else pick(t("Fix by account"), "turn", accounts);
    pick(t("Rule"), "rule", [...new Set(all.map((item) => item.rule[0]))].sort());
  }

  function pick(label, key, values) {
    const select = el("select", { "data-pick": key, "aria-label": label }, el("option", { value: "" }, t("any")), ...values.map((value) => el("option", { value: value.toLowerCase() }, value)));
    select.addEventListener("change", () => choose(key, select.value ? [select.value] : []));
    $("chips").append(el("span", {}, label, select));
  }

  // What a click on the head of a column sorts by.
  const COLUMNS = [(item) => item.severity, (item) => item.outcome, (item) => item.rule[0], (item) => item.resource, (item) => owned(item)];

  function heads() {
    [...$("heads").children].forEach((head, number) => head.firstElementChild.addEventListener("click", () => {
      if (column !== number) { column = number; down = false; } else if (!down) down = true; else column = -1;
      [...$("heads").children].forEach((other, place) => other.setAttribute("aria-sort", place !== column ? "none" : down ? "descending" : "ascending"));
      apply();
    }));
  }

  // Draws the list anew; `first` keeps the rows that came with the page.
  function apply(first) {
    query = $("q").value;
    view = all.filter(matches(query));
    if (column >= 0) {
      const key = COLUMNS[column], sign = down ? -1 : 1;
      view = view.map((item) => [key(item), item]).sort(([a, x], [b, y]) => (a < b ? -sign : a > b ? sign : x.index - y.index)).map(([, item]) => item);
    }
    document.documentElement.classList.toggle("chosen", Boolean(query.trim()));
    const given = first === true && !query.trim() ? [...$("rows").children] : [];
    if (given.length) {
      given.forEach((tr, place) => { tr.item = view[place]; });
      drawn = given.length;
      $("more").hidden = drawn >= view.length;
    } else {
      $("rows").replaceChildren();
      drawn = 0;
      more();
    }
    $("count").textContent = view.length === all.length ? tn("{n} finding, worst first", "{n} findings, worst first", all.length) :
      tn("{n} of {total} findings", "{n} of {total} findings", view.length, { total: number(all.length) });
    $("grid").setAttribute("aria-rowcount", view.length + 1);
    for (const chip of document.querySelectorAll("button[data-key]")) chip.setAttribute("aria-pressed", chosen(chip.dataset.key).has(chip.dataset.value.toLowerCase()));
    const asked = tokens(query).map((token) => token.word?.toLowerCase());
    for (const chip of document.querySelectorAll("button[data-word]")) chip.setAttribute("aria-pressed", asked.includes(chip.dataset.word));
    for (const list of document.querySelectorAll("select[data-pick]")) {
      const set = [...chosen(list.dataset.pick)];
      list.value = set.length === 1 ? set[0] : "";
      if (list.selectedIndex < 0) list.value = "";
    }
    clearTimeout(settling);
    settling = setTimeout(keep, 150); // browsers refuse an address that changes with every letter
  }

  function keep() {
    clearTimeout(settling);
    const parts = [];
    if (query.trim()) parts.push("q=" + encodeURIComponent(query.trim()));
    if (open) parts.push(parts.length ? "f=" + open : open);
    const hash = parts.length ? "#" + parts.join("&") : "";
    if (hash !== location.hash && (hash || OURS.test(location.hash))) history.replaceState(null, "", hash || location.pathname + location.search);
  }

  function more() {
    const rows = view.slice(drawn, drawn + PAGE).map((item, offset) => line(item, drawn + offset));
    $("rows").append(...rows);
    for (const tr of rows) if (tr.item.id === open) unfold(tr);
    drawn += rows.length;
    $("more").hidden = drawn >= view.length;
    if (drawn === rows.length && rows.length) rows[0].tabIndex = 0;
  }

  function line(item, place) {
    const severity = SEVERITIES[item.severity], outcome = OUTCOMES[item.outcome];
    const cell = (...children) => el("td", { role: "gridcell" }, ...children);
    const tr = el("tr", { class: "row", role: "row", "aria-level": 1, tabindex: "-1", "aria-rowindex": place + 2, "aria-expanded": "false" },
      cell(el("span", { class: "sev " + severity }, t(severity))),
      cell(el("span", { class: "out " + (outcome === "n/a" ? "not_applicable" : outcome) }, t(outcome))),
      cell(el("b", {}, item.rule[0]), " " + say(item.rule[1]), item.fresh ? el("span", { class: "new" }, t("new")) : null,
        item.observed ? el("div", { class: "res" }, item.observed.length > 160 ? item.observed.slice(0, 160) + "\u2026" : item.observed) : null),
      cell(item.name ? el("div", {}, item.name) : null, el("code", {}, item.resource)),
      cell(owned(item)));
    tr.item = item;
    return tr;
  }

  function unfold(tr) {
    tr.setAttribute("aria-expanded", "true");
    tr.after(el("tr", { class: "more", role: "row", "aria-level": 2 }, el("td", { colspan: 5, role: "gridcell" }, detail(tr.item))));
  }

  function fold(tr) {
    tr.setAttribute("aria-expanded", "false");
    if (tr.nextElementSibling?.classList.contains("more")) tr.nextElementSibling.remove();
  }

  function toggle(tr) {
    if (tr.getAttribute("aria-expanded") === "true") { fold(tr); if (open === tr.item.id) open = ""; }
    else { unfold(tr); open = tr.item.id; }
    keep();
  }

  function detail(item) {
    const list = el("dl");
    const add = (term, ...content) => { if (content.some((part) => part !== null && part !== "")) list.append(el("dt", {}, term), el("dd", {}, ...content)); };
    const outcome = OUTCOMES[item.outcome];
    add(t("Resource"), `${item.name ? item.name + comma() : ""}${item.type} `, el("code", {}, item.resource),
      ["", t("account {account}", { account: item.account || t("not known") }), item.region || t("no region")].join(comma()));
    add(t("Rests on"), item.related.map(([kind, key]) => `${kind} ${key}`).join(", "));
    add(t("Seen"), item.observed);
    add(outcome === "unknown" ? t("Not known because") : t("Reason"), item.reason);
    for (const gap of item.gaps) add(t("Not read"), gap);
    add(t("Why it matters"), say(item.rule[2]));
    if (outcome !== "pass" && outcome !== "n/a") {
      add(t("Fix by"), owned(item));
      add(t("Fix"), item.summary, ...item.cli.map((command) => copied(command, t("Copy command"))),
        item.terraform ? copied(item.terraform, t("Copy Terraform")) : null, item.console ? copied(item.console, t("Copy console path")) : null);
    }
    add(t("Evidence"), item.rule[5].length ? t("{tables}, read {start} to {end}", { tables: item.rule[5].join(", "), start: data.scanned[0], end: data.scanned[1] }) : "");
    add(t("Sources ({basis})", { basis: t(item.rule[3]) }), ...item.rule[4].flatMap(([title, url], number) => [number ? ", " : "",
      url.startsWith("https://") ? el("a", { href: url, rel: "noreferrer noopener" }, say(title)) : `${say(title)} ${url}`]));
    if (item.waiver) add(t("Waiver"), [item.waiver[0], t("{reason} ({owner}, until {day})", { reason: item.waiver[1], owner: item.waiver[2], day: item.waiver[3] }), item.waiver[4]].join(" ").trim());
    add(t("First seen"), item.seen);
    add(t("Id"), el("code", {}, item.id));
    const link = location.href.split("#")[0] + "#" + item.id;
    const acts = el("p", { class: "acts" }, button(t("Copy link"), () => link));
    if (outcome === "fail") acts.append(button(t("Copy waiver"), () => waiver(item)));
    return el("div", {}, list, acts);
  }

  function waiver(item) {
    const text = (value) => JSON.stringify(value);
    return `- rule: ${text(item.rule[0])}\n  account: ${text(item.account)}\n  region: ${text(item.region)}\n  resource: ${text(item.resource)}\n  reason: ""\n  owner: ""\n  expires: ""\n`;
  }

  function copied(text, name) {
    const pre = el("pre", {}, text);
    return el("div", { class: "fix" }, pre, button(t("Copy"), () => text, pre, name));
  }

  function button(label, text, shown, name) {
    const node = el("button", { type: "button", "aria-label": name || null, onclick: (event) => {
      event.stopPropagation();
      copy(node, text(), shown);
    } }, label);
    return node;
  }

  async function copy(node, text, shown) {
    const label = node.textContent;
    if (node.dataset.busy) return;
    node.dataset.busy = "yes";
    let done = false;
    try { await navigator.clipboard.writeText(text); done = true; } catch { done = false; }
    if (!done) { // no clipboard for this page: select the text, so that the keyboard can copy it
      if (!shown && node.nextElementSibling?.tagName !== "PRE") node.after(el("pre", {}, text));
      getSelection().selectAllChildren(shown || node.nextElementSibling);
      try { done = document.execCommand("copy"); } catch { done = false; }
    }
    // the text of the button that came with the page is one the switch of languages knows: it stays the same node
    const words = node.firstChild, said = done ? t("Copied") : t("Selected");
    words.data = said;
    setTimeout(() => { if (words.data === said) words.data = label; delete node.dataset.busy; }, 2000);
  }

  function go(id) {
    let place = view.findIndex((item) => item.id === id);
    if (place < 0) {
      if (!all.some((item) => item.id === id)) return;
      $("q").value = "";
      apply();
      place = view.findIndex((item) => item.id === id);
    }
    while (drawn <= place) more();
    const tr = [...$("rows").querySelectorAll("tr.row")][place];
    if (tr.getAttribute("aria-expanded") !== "true") unfold(tr);
    focus(tr);
    tr.scrollIntoView({ block: "center" });
  }

  function focus(tr) {
    for (const other of $("rows").querySelectorAll('tr[tabindex="0"]')) other.tabIndex = -1;
    tr.tabIndex = 0;
    tr.focus();
  }

  function step(by) {
    const rows = [...$("rows").querySelectorAll("tr.row")];
    const here = rows.indexOf(document.activeElement.closest?.("tr.row"));
    if (here + by >= rows.length && drawn < view.length) { more(); return step(by); }
    const next = rows[here < 0 ? 0 : Math.min(Math.max(here + by, 0), rows.length - 1)];
    if (next) focus(next);
  }

  function hash() {
    const text = location.hash.replace(/^#plf1-/, "#f=plf1-");
    if (!OURS.test(text)) { clearTimeout(settling); return false; } // an address of somebody else's stays
    const found = new URLSearchParams(text.slice(1).replaceAll("+", "%2B"));
    open = found.get("f") || "";
    $("q").value = found.get("q") || "";
    apply();
    if (open) go(open); else $("findings").scrollIntoView();
    return true;
  }

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target, typing = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
    if (event.key === "Escape" && target === $("q")) { step(0); event.preventDefault(); }
    if (typing) return;
    if (event.key === "/") { $("q").focus(); $("q").select(); event.preventDefault(); }
    else if (event.key === "j" || (event.key === "ArrowDown" && target.matches("tr.row"))) { step(1); event.preventDefault(); }
    else if (event.key === "k" || (event.key === "ArrowUp" && target.matches("tr.row"))) { step(-1); event.preventDefault(); }
    else if ((event.key === "Enter" || event.key === " ") && target.matches("tr.row")) { toggle(target); event.preventDefault(); }
  }

  // The plain findings stay as they are.
  function hint(id) {
    document.documentElement.classList.remove("js");
    $(id).hidden = false;
  }

  // Every text that came with the page, in its order: of each element what is read aloud, then what follows it.
  function texts() {
    const found = [], walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walk.currentNode; node; node = walk.nextNode()) {
      if (node.nodeType === 1) {
        for (const { name } of node.attributes) if (name === "aria-label" || name === "placeholder") found.push([node, name]);
      } else if (/[^ \t\r\n\f]/.test(node.data) && !/^(SCRIPT|STYLE|NOSCRIPT)$/i.test(node.parentNode.nodeName)) found.push([node, null]);
    }
    return found;
  }

  // The same rows again, as many and as far unfolded.
  function redraw() {
    const count = drawn, unfolded = new Set([...$("rows").querySelectorAll('tr.row[aria-expanded="true"]')].map((tr) => tr.item.id));
    chips();
    apply();
    while (drawn < count && drawn < view.length) more();
    for (const tr of $("rows").querySelectorAll('tr.row[aria-expanded="false"]')) if (unfolded.has(tr.item.id)) unfold(tr);
  }

  // The languages: the page comes in one, and draws itself anew in another.
  function languages(frame) {
    let place = 0;
    const places = data.frame.map(([step, text]) => [...(frame[place += step] || []), text]);
    const list = $("language"), names = { en: "English", ja: "日本語", zh: "简体中文" };
    const change = (next) => {
      for (const [node, name, text] of places) {
        if (!node) continue;
        const here = name ? node.getAttribute(name) : node.data;
        if (here !== say(text)) continue;
        if (name) node.setAttribute(name, say(text, next)); else node.data = say(text, next);
      }
      tongue = next;
      document.documentElement.lang = data.tags[tongue];
      list.value = data.languages[tongue];
      for (const item of all) item.text = "";
    };
    tongue = data.lang;
    list.append(...data.languages.map((code, index) => el("option", { value: code, lang: data.tags[index] }, names[code])));
    list.value = data.languages[tongue];
    list.hidden = false;
    list.addEventListener("change", () => {
      change(data.languages.indexOf(list.value));
      try { localStorage.setItem("plaudit-language", list.value); } catch { /* no storage for this page */ }
      redraw();
      setTimeout(() => prepare(0), 50);
    });
    let kept = -1;
    try { kept = data.languages.indexOf(localStorage.getItem("plaudit-language")); } catch { /* no storage for this page */ }
    if (kept >= 0 && kept !== tongue) { change(kept); return true; }
    return false;
  }

  // Colours: what the system says, or what is chosen here.
  function colours() {
    const root = document.documentElement, list = $("theme");
    list.value = root.dataset.theme || "";
    list.addEventListener("change", () => {
      if (list.value) root.dataset.theme = list.value; else delete root.dataset.theme;
      try { if (list.value) localStorage.setItem("plaudit-theme", list.value); else localStorage.removeItem("plaudit-theme"); } catch { /* no storage for this page */ }
    });
  }

  // The copy buttons that came with the page.
  function copies() {
    document.addEventListener("click", (event) => {
      const node = event.target.closest?.("button[data-copy]");
      if (node) copy(node, node.previousElementSibling.textContent, node.previousElementSibling);
    });
  }

  async function start() {
    const frame = texts();
    colours();
    copies();
    if (!box.textContent.trim()) return hint("unserved");
    try { data = await unpack(); } catch { return hint("old"); }
    all = data.rows.map((fields, index) => new Row(fields, index));
    const changed = languages(frame);
    heads();
    chips();
    $("q").addEventListener("input", () => apply());
    document.querySelector(".filter").addEventListener("submit", (event) => event.preventDefault());
    $("rows").addEventListener("click", (event) => {
      const tr = event.target.closest("tr.row");
      if (tr && !getSelection().toString()) { focus(tr); toggle(tr); }
    });
    $("more").addEventListener("click", more);
    if (window.IntersectionObserver) new IntersectionObserver((seen) => { if (seen.some((entry) => entry.isIntersecting) && !$("more").hidden) more(); }, { rootMargin: "800px" }).observe($("more"));
    document.addEventListener("keydown", keys);
    window.addEventListener("hashchange", hash);
    let unfolded = [];
    window.addEventListener("beforeprint", () => {
      unfolded = [...document.querySelectorAll("details:not([open])")];
      unfolded.forEach((node) => { node.open = true; });
    });
    window.addEventListener("afterprint", () => unfolded.forEach((node) => { node.open = false; }));
    if (!hash()) apply(!changed);
    document.documentElement.dataset.ready = "yes";
    setTimeout(() => prepare(0), 50);
  }

  start();
})();
