/** A small line over the last minutes (uPlot), with its limit, and a mark where memory ran out. */
import UPlot from 'uplot'

export interface ChartData {
  /** Seconds since 1970. */
  readonly times: readonly number[]
  readonly values: readonly number[]
  readonly limit: number | undefined
  readonly marks: readonly number[]
}

export interface Chart {
  show(data: ChartData): void
  destroy(): void
}

const height = 56

export function makeChart(box: HTMLElement): Chart {
  let limit: number | undefined
  let marks: readonly number[] = []
  const colour = (name: string): string => colourIn(box, name)
  const plot = new UPlot(
    {
      width: Math.max(box.clientWidth, 60),
      height,
      padding: [4, 0, 2, 0],
      cursor: { show: false },
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: {
        x: { time: true },
        y: { range: (_, __, most) => [0, Math.max(limit ?? 0, most * 1.15, 1e-6)] },
      },
      series: [
        {},
        { stroke: () => colour('--accent'), fill: () => colour('--accent-soft'), width: 1.5, points: { show: false } },
      ],
      hooks: {
        draw: [
          ({ ctx, bbox, valToPos }) => {
            ctx.save()
            ctx.lineWidth = devicePixelRatio
            if (limit !== undefined) {
              const y = valToPos(limit, 'y', true)
              ctx.strokeStyle = colour('--edge')
              ctx.setLineDash([4, 4])
              line(ctx, [bbox.left, y], [bbox.left + bbox.width, y])
            }
            ctx.setLineDash([])
            ctx.strokeStyle = colour('--bad')
            for (const mark of marks) {
              const x = valToPos(mark, 'x', true)
              if (x >= bbox.left) line(ctx, [x, bbox.top], [x, bbox.top + bbox.height])
            }
            ctx.restore()
          },
        ],
      },
    },
    [[], []],
    box,
  )
  const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(box.clientWidth, 60), height }))
  observer.observe(box)
  return {
    show(data) {
      limit = data.limit
      marks = data.marks
      plot.setData([[...data.times], [...data.values]])
    },
    destroy() {
      observer.disconnect()
      plot.destroy()
    },
  }
}

/** A canvas knows no variables, and no colour that is light or dark: what an element would have. */
function colourIn(box: HTMLElement, name: string): string {
  const before = box.style.color
  box.style.color = `var(${name})`
  const { color } = getComputedStyle(box)
  box.style.color = before
  return color
}

function line(ctx: CanvasRenderingContext2D, from: readonly [number, number], to: readonly [number, number]): void {
  ctx.beginPath()
  ctx.moveTo(...from)
  ctx.lineTo(...to)
  ctx.stroke()
}
