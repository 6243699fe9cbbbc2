/* Bytes to steps. Everything is checked before anything runs: a program is whole and sound, or refused. */
#include "program.h"

static bool string_ends(const struct program *p, int64_t offset) {
  return offset >= 0 && offset < p->size && memchr(p->pool + offset, 0, p->size - (size_t)offset);
}

static bool list_ends(const struct program *p, int64_t offset, int64_t count) {
  if (count < 0 || count > p->size) return false;
  for (int64_t i = 0; i < count; i++) {
    if (!string_ends(p, offset)) return false;
    offset += (int64_t)strlen(p->pool + offset) + 1;
  }
  return true;
}

static bool bytes_fit(const struct program *p, int64_t offset, int64_t length) {
  return offset >= 0 && length >= 0 && offset <= p->size && length <= (int64_t)p->size - offset;
}

static bool step_sound(const struct program *p, const struct step *s, int phase) {
  if (s->after && phase != PHASE_UNDO) return false;
  if (s->code >= sizeof shapes / sizeof *shapes) return false;
  const struct shape *shape = &shapes[s->code];
  if (!shape->args || !(shape->phases & phase)) return false;
  int n = 0;
  for (const char *kind = shape->args; *kind; kind++) {
    bool sound = true;
    switch (*kind) {
      case 's': sound = string_ends(p, s->a[n]); n += 1; break;
      case 'b': sound = bytes_fit(p, s->a[n], s->a[n + 1]); n += 2; break;
      case 'l': sound = list_ends(p, s->a[n], s->a[n + 1]); n += 2; break;
      case 'r': sound = s->a[n] >= 0 && s->a[n] < SLOTS; n += 1; break;
      case 'n': n += 1; break;
      default: return false;
    }
    if (!sound) return false;
  }
  for (; n < 6; n++)
    if (s->a[n]) return false;
  return true;
}

/* Clone is the last host step of a program with child steps, exec the last child step, and each is there once. */
static bool order_sound(const struct program *p) {
  for (uint32_t i = 0; i < p->host + p->child; i++) {
    bool last_host = p->child && i == p->host - 1, last_child = p->child && i == p->host + p->child - 1;
    if ((p->steps[i].code == STEP_CLONE) != last_host) return false;
    if ((p->steps[i].code == STEP_EXEC) != last_child) return false;
  }
  return !p->child || (p->host && p->steps[0].code == STEP_SUPERVISE);
}

int decode(const char *bytes, size_t length, struct program *p) {
  struct header h;
  if (length < sizeof h || length > MAX_PROGRAM) return -EINVAL;
  memcpy(&h, bytes, sizeof h);
  if (h.magic != MAGIC || h.version != VERSION) return -EPROTO;
  uint64_t count = (uint64_t)h.host + h.child + h.undo;
  if (count * sizeof(struct step) + h.pool + sizeof h != length || !h.pool) return -EINVAL;
  *p = (struct program){(const struct step *)(const void *)(bytes + sizeof h), bytes + length - h.pool, h.host, h.child, h.undo, h.pool};
  if (p->pool[h.pool - 1]) return -EINVAL;
  for (uint64_t i = 0; i < count; i++) {
    int phase = i < h.host ? PHASE_HOST : i < (uint64_t)h.host + h.child ? PHASE_CHILD : PHASE_UNDO;
    if (!step_sound(p, &p->steps[i], phase)) return -EINVAL;
  }
  return order_sound(p) ? 0 : -EINVAL;
}
