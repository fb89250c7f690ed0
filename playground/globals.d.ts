// Names that the scripts find without declaring them, and the shapes of what Python sends them.

declare const live: Live;
declare const presenting: Presenting;

declare const memory: Memory;

/** Names of the page's parts in the order of painting, from `page_update.py`. */
declare const PAINT_STAGES: string[][];

interface Window {
  live?: Live;
  memory?: Memory;
  presenting?: Presenting;
  /** Loads plotly.js, see `components/plotly.js`. */
  loadPlotly(): Promise<void>;
  Plotly: {
    animate(target: Element, frame: object, options: object): Promise<unknown>;
    toImage(figure: object, options: object): Promise<string>;
    react(target: Element, traces: Trace[], layout: object, config: object): Promise<unknown>;
  };
}

// ---- Gradio: a component's `js_on_load` is the body of such a function

type GradioScript = (
  element: HTMLElement,
  trigger: (event: string, data?: object) => void,
  props: ComponentProps,
  server: ServerFunctions,
  upload: (file: File) => Promise<{ path: string }>,
  watch: (prop: string, listener: () => void) => void,
) => void;

interface ComponentProps {
  /** JSON made by Python, "" while there is none. */
  value: string;
  /** The component's name among the parts of the page, "" for none. */
  part: string;
  /** `knob_notes.js` alone: names of buttons that reset a slider, by the id of its element, as JSON. */
  names: string;
  /** `poll.js` alone: the step that shows the news, and what begins the value while work is followed in all steps. */
  step: string;
  followed: string;
  /** `intake.js` alone: how many pictures at once, bytes of each, and px of the longer side. */
  max_files: number;
  max_bytes: number;
  max_side: number;
}

/** Python functions that components offer to their scripts. */
interface ServerFunctions {
  download(request: object): Promise<{ status: string; done: number; total: number; message: string } | null>;
  fetch_picture(key: string): Promise<string | null>;
  news(request: LiveRequest): Promise<News | null>;
  runs(request: object): Promise<RunsAnswer | null>;
  take(request: { path: string; name: string; album: string }): Promise<IntakeAnswer | null>;
}

// ---- components/opening.js

/** Texts that the browser keeps for this page from visit to visit. */
interface Memory {
  /** Returns the text kept under a name, "" for none. */
  recall(name: string): string;
  keep(name: string, text: string): void;
}

// ---- server/live.js

interface Live {
  /**
   * Registers a part of the page; returns what paints the value that Gradio gave it. `switched` returns which of its
   * layers the visitor has switched on or off, and `isQuick` says which values can be painted in the picture's frame.
   */
  part(
    name: string,
    paint: (value: string) => void,
    ownValue: () => string,
    switched?: () => Record<string, boolean>,
    isQuick?: (value: string) => boolean,
  ): () => void;
  /** A knob has a new value. */
  set(path: string, value: unknown): void;
  /** Something that is not a hyperparameter has a new value. */
  choose(name: string, value: unknown): void;
  /** A dial beside a figure has a new value, "" for its default. */
  dial(name: string, value: string): void;
  /** Gradio's text of all settings has changed: by `sync`, or because the server has set them. */
  receiveSettings(text: string): void;
  /** One of Gradio's events has been answered: the state that is shown now. */
  receiveAnswer(state: LiveState): void;
  /** What others that ask the server send with it; null while Gradio's events would say something else. */
  currentRequest(): LiveRequest | null;
  /** A layer became visible whose boxes a quick answer may have left out. */
  reveal(): void;
  /** What is shown has changed on the server: requests it again; true if the answer is shown. */
  refresh(): Promise<boolean>;
  /** Number of Gradio's events that have been answered. */
  eventCount(): number;
}

/** A slider, a list or a button beside a figure, see `playground.components.dials.Dial`. */
interface DialState {
  name: string;
  label: string;
  kind: "slider" | "choice" | "button";
  value: string;
  low: number;
  high: number;
  step: number;
  choices: [string, string][];
  part: number;
  whole: string;
}

interface LivePart {
  paint(value: string): void;
  /** The value that Gradio gave it. */
  ownValue(): string;
  /** The value that is on the page, null for none. */
  painted(): string | null;
  switched(): Record<string, boolean>;
  isQuick?: (value: string) => boolean;
}

/** What one of Gradio's events has shown. */
interface LiveState {
  token: string;
  settings: string;
  look: Record<string, unknown>;
}

interface LiveRequest {
  token: string;
  settings: string;
}

/** Values of parts by name, and how the answer ended. */
type LiveAnswer = { forgotten?: boolean; failed?: boolean; postponed?: boolean } & Record<string, unknown>;

/** See `PollResult` in `poll.py`. */
interface News {
  stamp: string;
  soon: boolean;
  controls: string;
  event: string;
  forgotten?: boolean;
}

// ---- components/present.js

interface Presenting {
  /** Fills the screen with a figure or the picture, or gives the page its place back. */
  toggle(node: HTMLElement, kind: string): void;
  /** Fills the frame of another page with a figure. */
  embed(node: HTMLElement): void;
  /** Saves the image at an address, a data URL; the file is named after what it shows. */
  save(address: string, what: string, format: string): void;
  isShown(node: HTMLElement): boolean;
  /** The functions of `full_screen.js`, whose state exists once. */
  fillScreen(isWanted: () => boolean): Promise<void>;
  leaveScreen(): void;
  onScreenLeft(listener: () => void): void;
}

// ---- canvas

interface Point {
  x: number;
  y: number;
}

interface Size {
  width: number;
  height: number;
}

/** x in the picture is drawn at `x + scale * …` CSS pixels of the canvas. */
interface Camera extends Point {
  /** 1 fits the whole picture. */
  zoom: number;
  scale: number;
  /** Device pixels per CSS pixel. */
  ratio: number;
  /** Font size around the picture, CSS pixels. */
  text: number;
}

/** What layers and heat maps have in common: an entry of the legend. */
interface LegendItem {
  key: string;
  label: string;
  visible: boolean;
  /** Number of boxes, or of cells. */
  count: number;
}

interface Layer extends LegendItem {
  colour: string;
  /** Of each box, where they differ. */
  colours?: string[];
  /** x1, y1, x2, y2 of each box. */
  boxes: Float32Array;
  dashed: boolean;
  fill?: boolean;
  width: number;
  values: Float32Array | null;
  captions: string[];
  links: Float32Array | null;
  labels: number[] | null;
  /** Not "" if its one box can be dragged: what precedes the corners in the dial `box`. */
  carries?: string;
}

/** A drag of a box that is not edited. */
interface Carried {
  original: Corners;
  handle: Handle | null;
  from: Point;
  now: Corners;
}

interface Heat extends LegendItem {
  extent: [number, number, number, number];
  rows: number;
  columns: number;
  /** What the step 255 stands for. */
  scale: number;
  /** One of 256 steps per cell, row by row; empty while the values are still to come. */
  steps: Uint8Array;
  /** Painted when first seen. */
  image?: HTMLCanvasElement;
}

interface View extends Size {
  /** Hash of the picture, null for none. */
  picture: string | null;
  layers: Layer[];
  heat: Heat | null;
  classes: string[];
  alt: string;
  editable: boolean;
  max_boxes: number;
  /** "#rrggbb" of each class, or empty: boxes then have their layer's colour. */
  class_colours: string[];
  free_classes: boolean;
  /** Names offered for a new class. */
  class_suggestions: string[];
  draw_first: boolean;
  /** x1, y1, x2, y2 of the suggestions rejected on this picture before. */
  rejected: [number, number, number, number][];
  max_classes: number;
  /** Characters of a class's name. */
  max_name: number;
  /** Colours of new classes. */
  palette: string[];
  /** Names the picture to the server, see `View` in `canvas/view.py`. */
  pixels_key: string;
}

/** A box of a layer. */
interface Hit {
  layer: Layer;
  index: number;
}

interface Corners {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** A ground-truth box in picture coordinates. */
interface LabelledBox extends Corners {
  label: number;
}

/** The sides that a handle of a box moves: -1 is left or top, 1 right or bottom, 0 neither. */
type Handle = [number, number];

/** A box that the detector suggests. */
interface Suggestion extends LabelledBox {
  score: number;
}

/** All that is drawn on a picture. */
interface Drawn {
  boxes: LabelledBox[];
  suggestions: Suggestion[];
  rejected: Corners[];
}

/** What is selected: a box or a suggestion, each -1 for none. */
interface Picked {
  box: number;
  offer: number;
}

interface ClassChange {
  action: "rename" | "merge" | "recolour";
  index: number;
  /** The new name, the class to merge into, or the new colour. */
  value: string | number;
}

/** What gestures leave to the editor. */
interface GestureEnds {
  select(box: number, suggestion?: number): void;
  commit(): void;
  flush(): void;
  finish(): void;
  accept(index: number): void;
  add(corners: Corners): boolean;
}

type KeyPress = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

interface Gesture {
  kind: "draw" | "move" | "resize";
  from: Point;
  original: LabelledBox | null;
  handle: Handle | null;
  reach: number;
  /** True once the pointer has moved further than a trembling click. */
  begun: boolean;
  /** The suggestion that was selected before. */
  offered: number;
}

interface EditorHost {
  view(): View;
  repaint(): void;
  send(edit: { boxes: LabelledBox[]; classes: string[]; rejected: Corners[] }): void;
  /** `classes`: the names that there are before the change. */
  sendClass(change: ClassChange & { classes: string[] }): void;
  showMessage(sentence: string): void;
  /** Says something to those who cannot see the picture. */
  announce(sentence: string): void;
  /** A box has been drawn while no class is chosen. */
  askClass(): void;
}

/** What two canvases side by side tell each other. */
interface CanvasSync {
  from: Element;
  toggles?: [string, boolean][];
  /** x and y as shares of the canvas's size. */
  camera?: Point & { zoom: number };
}

interface DocumentEventMap {
  presenting: CustomEvent;
  "pic-sync": CustomEvent<CanvasSync>;
  "pic-layer": CustomEvent<string>;
  /** A query to open without leaving the page. */
  "open-link": CustomEvent<string>;
  /** The visitor has pressed the button that deletes all their pictures. */
  "pictures-deleted": Event;
  /** Uploaded pictures are in; who prevents it keeps the picture on show. */
  "picture-arrives": Event;
  /** The event that the strip asked last is over. */
  "strip-answered": Event;
  /** A change of the drawing, or of its classes, is over: of those that the canvas has sent, the oldest. */
  "edit-answered": Event;
  /** The answer to a lesson's question has been handled. */
  "question-answered": Event;
  /** A short message to the visitor. */
  said: CustomEvent<string>;
  /** Names of boxes, see `canvas/pointing.js`; "" for none. */
  "pic-point": CustomEvent<string>;
  "pic-choose": CustomEvent<string>;
}

// ---- figures

interface Trace {
  mode?: string;
  yaxis?: string;
  y: number[];
}

interface Layout {
  height: number;
  margin: Record<string, number>;
  title: { text: string; font: { size: number } };
  legend?: object;
  xaxis: object;
  yaxis: object;
  yaxis2?: object;
  shapes?: { name?: string; line?: object }[];
}

interface Figure {
  data: Trace[];
  layout: Layout;
}

interface Axis {
  range: [number, number];
  type: string;
}

/** An element that plotly.js has drawn into. */
interface PlotElement extends HTMLElement {
  layout: { yaxis: Axis; shapes?: { name?: string }[] };
  on(event: string, listener: () => void): void;
  _fullLayout: { xaxis: { p2d(pixel: number): number; _offset: number } };
}

// ---- the table of runs

interface Column {
  key: string;
  title: string;
  about: string;
  setting: boolean;
}

interface ShownColumn extends Column {
  /** Its index in the cells of a row. */
  at: number;
}

/** What a cell is sorted by, and its text. */
type Cell = [number | string | null, string];

interface Row {
  run: string;
  name: string;
  title: string;
  tags: string[];
  state: string;
  message: string;
  mine: boolean;
  cells: Cell[];
}

interface DeletedRun {
  key: string;
  name: string;
  title: string;
}

interface RunsTable {
  columns: Column[];
  rows: Row[];
  trash: DeletedRun[];
  figure: string;
  problem: string;
}

interface SortOrder {
  /** Of a column, "name", "state", or "" for the server's order: newest first. */
  key: string;
  ascending: boolean;
}

interface RunsAnswer {
  said: string;
  undo: string;
  stamp?: string;
  shown?: string;
}

interface RunsRequest {
  act: "look" | "draw" | "label" | "delete" | "restore";
  run?: string;
  key?: string;
  name?: string;
  tags?: string;
}

// ---- strip, source bar, lesson

interface StripCell {
  step: string;
  key: string;
  title: string;
  headline: string;
  about: string;
  map: string;
  layer: string | null;
}

interface LevelCell {
  name: string;
  text: string;
  level: number | null;
  map: string;
}

interface StripState extends LiveState {
  cells: StripCell[];
  about: string;
  levels: LevelCell[];
  step: string;
  level: number;
  map: string;
  query: string;
  /** What is on show and was chosen, and the same when the event began; null for an answer to be shown in any case. */
  now: Record<string, string>;
  began: Record<string, string> | null;
}

interface SourceBarState {
  /** True if the generated scene is on show. */
  scene: boolean;
  sources: [string, string][];
  source: string;
  splits: string[];
  split: string;
  index: number;
  count: number;
  name: string;
  choice: { label: string; at: number | null; count: number } | null;
  /** Name of the picture that a run's film shows instead, "" for none. */
  film: string;
}

// ---- the visitor's own pictures

/** What became of an uploaded picture, see `playground/data/intake.py`. */
interface IntakeAnswer {
  /** Names the picture to the server, null if it was not saved. */
  pixels_key: string | null;
  /** Key of the album that it is in, "" for none. */
  album: string;
  scaled: boolean;
  error: string;
  /** No other picture would be taken either. */
  stop: boolean;
}

/** What the panel "My pictures" shows, see `playground/server/album_state.py`. */
interface AlbumState {
  count: number;
  labelled: number;
  /** The visitor may change it. */
  mine: boolean;
  /** Of the picture on show, -1 if it is none of the album's; the next five are about it. */
  index: number;
  /** Names the picture to the server. */
  pixels_key: string;
  labelled_here: boolean;
  objects: number;
  place: string;
  split: string;
  /** Name, number of objects, colour. */
  classes: [string, number, string][];
  suggest: { on: boolean; above: number; note: string };
  teach: string;
  /** Enough pictures are labelled to train on them. */
  ready: boolean;
  kept: string;
  whose: string;
  shared: boolean;
  /** What the button undoes, "" for nothing. */
  undo: string;
  /** Key of the album that it puts back, "" if it puts a picture back. */
  deleted: string;
}

/** A curve that the reader draws; its heights are at equal distances from 0 to 1. */
interface CurveDrawing {
  kind: "curve";
  /** What the axes show. */
  x: string;
  y: string;
  /** The value at the top. */
  height: number;
  given: number[];
  /** Null before the answer. */
  truth: number[] | null;
}

/** Boxes that the reader draws around the objects that are missed. */
interface BoxesDrawing {
  kind: "boxes";
  width: number;
  height: number;
  truth: { box: [number, number, number, number]; name: string; missed: boolean }[] | null;
}

type Drawing = CurveDrawing | BoxesDrawing;

interface QuizQuestion {
  question: string;
  answers: string[];
  /** Index of the right answer. */
  right: number;
  why: string;
  /** Title of the step that explains it, and what the page is told to open it. */
  lesson: string;
  choose: string;
}

/** Which answers were right; earlier versions kept only how many. */
type QuizResult = number | boolean[];

/** The test before and after the lessons. */
interface Quiz {
  title: string;
  about: string;
  questions: QuizQuestion[];
}

/** What a teacher can choose from: names and texts of controls; lessons with links and titles of their steps. */
interface TeacherChoices {
  hide: [string, string][];
  lessons: { title: string; steps: [string, string][] }[];
}

/** Where γ goes, and in how many ms. */
type Leg = [number, number];

interface StoryPart {
  name: string;
  colour: string;
  /** 0 … 1. */
  share: number;
  /** The share as a percentage. */
  text: string;
}

/** Who pays the loss, from `steps/loss/story.py`. */
interface StoryState {
  sentence: string;
  note: string;
  /** γ has an effect. */
  plays: boolean;
  parts: StoryPart[];
}

interface LessonState {
  /** Of the step on show, "" without a lesson. */
  link: string;
  question: string;
  answers: string[];
  chosen: number | null;
  right: number | null;
  answered: boolean;
  drawing?: Drawing | null;
  numbers: Record<string, string>;
  knobs?: string[];
  controls?: string[];
  tables?: string[];
  look?: string[];
  veil?: string[];
  needs?: string[];
}
