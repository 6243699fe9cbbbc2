/** One printed line: text in spans, by the styles it asked for. */
import { piecesOf } from './log-text.ts'

export function LineText({ text }: { readonly text: string }) {
  const pieces = piecesOf(text)
  if (pieces.length === 1 && pieces[0]!.classes === '') return <>{pieces[0]!.text}</>
  return (
    <>
      {pieces.map(({ text: part, classes }, at) =>
        classes === '' ? (
          part
        ) : (
          <span key={at} class={classes}>
            {part}
          </span>
        ),
      )}
    </>
  )
}
