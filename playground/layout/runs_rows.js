// Filtering and sorting the rows of the table of runs. Pure functions.

const [SORT, TEXT] = /** @type {const} */ ([0, 1]);  // of a cell: what it is sorted by, and its text

/**
 * Returns the words of a search.
 *
 * @param {string} text
 */
function parseSearch(text) {
  return text.trim().toLowerCase().split(/\s+/).filter(Boolean);
}

/**
 * True if every word occurs in a row's name, state, settings or tags; "#word" is the beginning of a tag.
 *
 * @param {Row} row
 * @param {string[]} words in lower case
 * @param {Column[]} columns
 */
function matchesSearch(row, words, columns) {
  const settings = columns.flatMap((column, at) => (column.setting ? [column.title, row.cells[at][TEXT]] : []));
  const text = [row.title, row.run, row.state, ...settings].join(" ").toLowerCase();
  const tags = row.tags.map((tag) => tag.toLowerCase());
  return words.every((word) => (word.startsWith("#")
    ? tags.some((tag) => tag.startsWith(word.slice(1)))
    : text.includes(word) || tags.some((tag) => tag.includes(word))));
}

/**
 * Returns the columns worth showing: results, and settings that differ between the rows.
 *
 * @param {Column[]} columns
 * @param {Row[]} rows
 * @returns {ShownColumn[]}
 */
function selectColumns(columns, rows) {
  return columns
    .map((column, at) => ({ ...column, at }))
    .filter(({ setting, at }) => !setting || new Set(rows.map((row) => row.cells[at][TEXT])).size > 1);
}

/**
 * Returns what a row is sorted by, null for no value.
 *
 * @param {Row} row
 * @param {string} key of a column, "name" or "state"
 * @param {Column[]} columns
 */
function sortKey(row, key, columns) {
  if (key === "name") return row.title.toLowerCase();
  if (key === "state") return row.state;
  return row.cells[columns.findIndex((column) => column.key === key)]?.[SORT] ?? null;
}

/**
 * Returns rows in an order; those without a value come last in both directions.
 *
 * @param {Row[]} rows
 * @param {SortOrder} order
 * @param {Column[]} columns
 */
function sortRows(rows, { key, ascending }, columns) {
  if (!key) return rows;
  const sign = ascending ? 1 : -1;
  return rows
    .map((row) => ({ row, by: sortKey(row, key, columns) }))
    .sort(({ by: a }, { by: b }) => {
      if (a === null || b === null) return Number(a === null) - Number(b === null);
      if (typeof a === "number" && typeof b === "number") return sign * (a - b);
      return sign * String(a).localeCompare(String(b));
    })
    .map(({ row }) => row);
}

/**
 * Returns the order after a click on a column's head: ascending first, then reversed.
 *
 * @param {SortOrder} order
 * @param {string} key
 * @returns {SortOrder}
 */
function nextOrder(order, key) {
  return { key, ascending: order.key === key ? !order.ascending : true };
}
