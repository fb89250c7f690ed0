// What can be done with a run in the table: draw it, filter by its tags, rename it, delete it and bring it back.

/**
 * Builds a run's row, still without its numbers.
 *
 * @param {Row} row
 * @param {ShownColumn[]} columns
 */
function buildRow(row, columns) {
  const box = build("input", { type: "checkbox", "aria-label": `Draw ${row.title}`, "data-focus": `draw ${row.run}` });
  box.addEventListener("change", () => choose(row.run, box.checked));
  return build(
    "tr", { "data-run": row.run },
    build("td", {}, box),
    build("th", { scope: "row" }, buildTitle(row), ...row.tags.map(buildTag)),
    build("td", { class: "runs-state" }),
    ...columns.map(({ setting }) => build("td", { class: cellClass(setting) })),
    build(
      "td", { class: "runs-acts" },
      ...(row.mine ? [
        buildButton("✎", `Name and tags of ${row.title}`, row.run, () => edit(row.run)),
        buildButton("✕", `Delete ${row.title}`, row.run, () => remove(row.run)),
      ] : []),
    ),
  );
}

/** @param {Row} row */
function buildTitle(row) {
  const title = build("span", { class: "runs-title" }, row.title);
  return row.title === row.run ? title : build("span", {}, title, build("small", {}, row.run));
}

/** @param {string} tag */
function buildTag(tag) {
  const filter = () => {
    search.value = `#${tag}`;
    render();
  };
  const attributes = { type: "button", class: "runs-tag", title: `Only runs with the tag ${tag}`, onclick: filter };
  return build("button", attributes, `#${tag}`);
}

/**
 * @param {string} text
 * @param {string} label
 * @param {string} run the button's name among those with the same text
 * @param {() => void} onclick
 */
function buildButton(text, label, run, onclick) {
  const attributes = { type: "button", title: label, "aria-label": label, "data-focus": `${text} ${run}`, onclick };
  return build("button", attributes, text);
}

/**
 * @param {string} run
 * @param {boolean} on
 */
function choose(run, on) {
  chosen = on ? [...chosen, run] : chosen.filter((each) => each !== run);
  send({ act: "draw" });
}

/** @param {string} run */
function edit(run) {
  edited = run;
  render();
  /** @type {HTMLInputElement | null} */ (body.querySelector("form input"))?.focus();
}

/** @param {Row} row */
function buildForm(row) {
  const maxlength = find(".runs").dataset.longest;
  const name = build("input", { type: "text", maxlength, "aria-label": "Name", placeholder: row.run });
  const tags = build("input", { type: "text", "aria-label": "Tags", placeholder: "tags, separated by commas" });
  [name.value, tags.value] = [row.name, row.tags.join(", ")];
  const close = () => {
    edited = "";
    render();
  };
  /** @param {Event} event */
  const save = (event) => {
    event.preventDefault();
    send({ act: "label", run: row.run, name: name.value, tags: tags.value });
  };
  const form = build(
    "form", { onsubmit: save }, name, tags,
    build("button", { type: "submit" }, "Save"), build("button", { type: "button", onclick: close }, "Cancel"),
  );
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  return form;
}

/** @param {string} run */
function remove(run) {
  chosen = chosen.filter((each) => each !== run);
  send({ act: "delete", run });
}

function showTrash() {
  find(".runs-trash").hidden = !table.trash.length;
  find(".runs-trash summary").textContent = `Deleted runs (${table.trash.length})`;
  replaceChildren(find(".runs-trash ul"), table.trash.map((each) => reuse(`trash ${each.key}`, each, () => build(
    "li", {}, each.title === each.name ? each.title : `${each.title} (${each.name})`,
    buildButton("Restore", `Restore ${each.title}`, each.key, () => send({ act: "restore", key: each.key })),
  ))));
}
