// The little that only a browser can do: save a drawn figure as a picture, and write a time the reader's way.
// It reads attributes that Bedside's own templates set and never builds HTML from text.
const NS = "http://www.w3.org/2000/svg"

function picture(root) {
  const plot = root.querySelector(".js-plotly-plot")
  if (!plot) return null
  const box = plot.getBoundingClientRect()
  const width = Math.round(box.width)
  const height = Math.round(box.height)
  const svg = document.createElementNS(NS, "svg")
  svg.setAttribute("xmlns", NS)
  svg.setAttribute("width", width)
  svg.setAttribute("height", height)
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  const ground = document.createElementNS(NS, "rect")
  ground.setAttribute("width", "100%")
  ground.setAttribute("height", "100%")
  ground.setAttribute("fill", getComputedStyle(document.documentElement).getPropertyValue("--bs-card").trim() || "#FFFFFF")
  svg.appendChild(ground)
  for (const layer of plot.querySelectorAll("svg.main-svg"))
    for (const child of layer.children) svg.appendChild(child.cloneNode(true))
  return { text: new XMLSerializer().serializeToString(svg), width, height }
}

function hand(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  document.body.appendChild(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}

function save(button) {
  const root = document.getElementsByClassName(button.dataset.bsFigure)[0]
  const drawn = root && picture(root)
  if (!drawn) return
  const svg = new Blob([drawn.text], { type: "image/svg+xml" })
  if (button.dataset.bsSave === "svg") return hand(svg, `${button.dataset.bsStem}.svg`)
  const image = new Image()
  image.onload = () => {
    const canvas = document.createElement("canvas")
    canvas.width = drawn.width * 2
    canvas.height = drawn.height * 2
    const pen = canvas.getContext("2d")
    pen.scale(2, 2)
    pen.drawImage(image, 0, 0)
    canvas.toBlob((png) => png && hand(png, `${button.dataset.bsStem}.png`), "image/png")
    URL.revokeObjectURL(image.src)
  }
  image.src = URL.createObjectURL(svg)
}

function localTimes() {
  for (const time of document.querySelectorAll("time[data-bs-seconds]")) {
    const text = new Date(1000 * Number(time.dataset.bsSeconds)).toLocaleString(undefined, {
      dateStyle: "long",
      timeStyle: "short",
    })
    if (time.textContent !== text) time.textContent = text
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest && event.target.closest("button[data-bs-save]")
  if (button) save(button)
})
new MutationObserver(localTimes).observe(document.documentElement, { childList: true, subtree: true })
localTimes()
