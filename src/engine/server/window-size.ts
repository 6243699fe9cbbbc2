/** The size of a terminal's window, as clients ask for it. */
import { Failure } from '../../lib/failure.ts'

/** A terminal's driver keeps rows and columns in sixteen bits. */
const most = 65535

/** @throws Failure `invalid` in Docker's words. */
export function windowSize({ h, w }: { readonly h?: string | undefined; readonly w?: string | undefined }) {
  return { rows: side('height', h), columns: side('width', w) }
}

function side(name: string, text = ''): number {
  const refuse = (why: string) =>
    new Failure('invalid', `invalid resize ${name} ${JSON.stringify(text.slice(0, 50))}: ${why}`)
  if (!/^[+-]?\d+$/.test(text)) throw refuse('invalid syntax')
  const value = Number(text)
  if (value < 0 || value > most) throw refuse('value out of range')
  return value
}
