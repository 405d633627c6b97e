// The little that only a browser can do: save a drawn figure as a picture, write a time the reader's way,
// and lead a keyboard into an opened menu.
// It reads attributes that Bedside's own templates set and never builds HTML from text.
const NS = "http://www.w3.org/2000/svg"

const LINE = 17

function words(text, room) {
  const lines = [""]
  for (const word of text.split(" ")) {
    const last = lines.length - 1
    if (lines[last] && (lines[last] + " " + word).length > room) lines.push(word)
    else lines[last] = lines[last] ? `${lines[last]} ${word}` : word
  }
  return lines
}

function write(svg, text, y, size, weight, colour) {
  const line = document.createElementNS(NS, "text")
  line.setAttribute("x", 10)
  line.setAttribute("y", y)
  line.setAttribute("font-family", "Inter, system-ui, sans-serif")
  line.setAttribute("font-size", size)
  line.setAttribute("font-weight", weight)
  line.setAttribute("fill", colour)
  line.textContent = text
  svg.appendChild(line)
}

// The figure as drawn, with its title above and what it rests on below, so that it can stand alone.
function picture(root, title, note) {
  const plot = root.querySelector(".js-plotly-plot")
  if (!plot) return null
  const box = plot.getBoundingClientRect()
  const style = getComputedStyle(document.documentElement)
  const colour = (name, otherwise) => style.getPropertyValue(`--bs-${name}`).trim() || otherwise
  const width = Math.round(box.width)
  const notes = words(note, Math.max(20, Math.floor(width / 6.4)))
  const top = 34
  const height = Math.round(box.height) + top + 12 + notes.length * LINE
  const svg = document.createElementNS(NS, "svg")
  svg.setAttribute("xmlns", NS)
  svg.setAttribute("width", width)
  svg.setAttribute("height", height)
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  const ground = document.createElementNS(NS, "rect")
  ground.setAttribute("width", "100%")
  ground.setAttribute("height", "100%")
  ground.setAttribute("fill", colour("card", "#FFFFFF"))
  svg.appendChild(ground)
  write(svg, title, 24, 16, 650, colour("ink", "#17212B"))
  const drawing = document.createElementNS(NS, "g")
  drawing.setAttribute("transform", `translate(0 ${top})`)
  for (const layer of plot.querySelectorAll("svg.main-svg"))
    for (const child of layer.children) drawing.appendChild(child.cloneNode(true))
  svg.appendChild(drawing)
  notes.forEach((text, i) => write(svg, text, top + box.height + (i + 1) * LINE, 12, 400, colour("muted", "#55626E")))
  return { text: new XMLSerializer().serializeToString(svg), width, height }
}

function hand(blob, name) {
  // Never put into the page: a click that bubbled from there would close the menu it came from.
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}

function save(button) {
  const { bsFigure, bsStem, bsTitle, bsNote, bsSave } = button.dataset
  const root = document.getElementsByClassName(bsFigure)[0]
  const drawn = root && picture(root, bsTitle, bsNote)
  if (!drawn) return
  const svg = new Blob([drawn.text], { type: "image/svg+xml" })
  if (bsSave === "svg") return hand(svg, `${bsStem}.svg`)
  const image = new Image()
  image.onload = () => {
    const canvas = document.createElement("canvas")
    canvas.width = drawn.width * 2
    canvas.height = drawn.height * 2
    const pen = canvas.getContext("2d")
    pen.scale(2, 2)
    pen.drawImage(image, 0, 0)
    canvas.toBlob((png) => png && hand(png, `${bsStem}.png`), "image/png")
    URL.revokeObjectURL(image.src)
  }
  image.src = URL.createObjectURL(svg)
}

// Kept by the browser as it changes, so that looking costs nothing where there are none.
const times = document.getElementsByTagName("time")
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" })
let looking = false

function localTimes() {
  looking = false
  for (const time of times) {
    if (!time.dataset.bsSeconds) continue
    const text = clock.format(new Date(1000 * Number(time.dataset.bsSeconds)))
    if (time.textContent !== text) time.textContent = text
  }
}

// Once before the next frame: while a figure is drawn the page changes a thousand times.
function lookSoon() {
  if (looking) return
  looking = true
  requestAnimationFrame(localTimes)
}

// A menu's inside stands at the end of the page: who opened it by keyboard is taken there, and not through the page.
function enter(button, tries = 60) {
  const body = document.querySelector('[data-testid="stPopoverBody"]')
  const first = body && body.querySelector("button, input, textarea, select, a[href], [tabindex='0']")
  if (first) first.focus()
  else if (tries && document.activeElement === button) setTimeout(() => enter(button, tries - 1), 50)
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" && event.key !== " ") return
  const button = event.target.closest && event.target.closest('[data-testid="stPopoverButton"], [data-testid="stPopover"] button')
  if (button && button.getAttribute("aria-expanded") !== "true") setTimeout(() => enter(button), 50)
})

// A menu that asks for a name is opened to type it, by mouse too: its inside comes from the server a moment later.
function name(button, tries = 80) {
  const field = document.querySelector('[data-testid="stPopoverBody"] [class*="st-key-first_"] input')
  if (field) field.focus({ preventScroll: true })
  else if (tries && button.getAttribute("aria-expanded") === "true") setTimeout(() => name(button, tries - 1), 50)
}

document.addEventListener("click", (event) => {
  const button = event.target.closest && event.target.closest("button[data-bs-save]")
  if (button) save(button)
  const menu = event.target.closest && event.target.closest('[data-testid="stPopoverButton"]')
  if (menu) setTimeout(() => name(menu), 50)
})
// The frame follows the system into dark or light at once; what the server drew follows when it is asked again, by the
// frame's own key for that. Nothing is lost, as it would be by loading the page anew.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
  setTimeout(() => document.dispatchEvent(new KeyboardEvent("keydown", { key: "r", code: "KeyR", keyCode: 82, bubbles: true })), 300))
new MutationObserver(lookSoon).observe(document.documentElement, { childList: true, subtree: true })
localTimes()
