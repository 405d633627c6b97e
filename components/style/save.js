// Saves the drawn figure as SVG or PNG in the browser: nothing travels, and no server-side browser is needed.
const NS = "http://www.w3.org/2000/svg"

function picture(root) {
  const plot = root.querySelector(".js-plotly-plot")
  if (!plot) return null
  const layers = [...plot.querySelectorAll("svg.main-svg")]
  const box = plot.getBoundingClientRect()
  const svg = document.createElementNS(NS, "svg")
  svg.setAttribute("xmlns", NS)
  svg.setAttribute("width", Math.round(box.width))
  svg.setAttribute("height", Math.round(box.height))
  svg.setAttribute("viewBox", `0 0 ${Math.round(box.width)} ${Math.round(box.height)}`)
  const ground = document.createElementNS(NS, "rect")
  ground.setAttribute("width", "100%")
  ground.setAttribute("height", "100%")
  ground.setAttribute("fill", getComputedStyle(document.body.querySelector(".stApp") || document.body).backgroundColor)
  svg.appendChild(ground)
  for (const layer of layers) for (const child of layer.children) svg.appendChild(child.cloneNode(true))
  return { text: new XMLSerializer().serializeToString(svg), width: box.width, height: box.height }
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

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    button.setAttribute("aria-label", `Save the figure as ${button.dataset.kind.toUpperCase()}`)
    button.onclick = () => {
      const root = document.getElementsByClassName(data.figure)[0]
      const drawn = root && picture(root)
      if (!drawn) return
      const svg = new Blob([drawn.text], { type: "image/svg+xml" })
      if (button.dataset.kind === "svg") return hand(svg, `${data.stem}.svg`)
      const image = new Image()
      image.onload = () => {
        const canvas = document.createElement("canvas")
        canvas.width = drawn.width * 2
        canvas.height = drawn.height * 2
        const pen = canvas.getContext("2d")
        pen.scale(2, 2)
        pen.drawImage(image, 0, 0)
        canvas.toBlob((png) => png && hand(png, `${data.stem}.png`), "image/png")
        URL.revokeObjectURL(image.src)
      }
      image.src = URL.createObjectURL(svg)
    }
  }
}
