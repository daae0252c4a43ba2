import type { Translation } from '../../language/plurals.ts';
import type { problems as english } from '../en/problems.ts';

/** Qué salió mal, para personas: según la clase del problema. Debajo están las palabras del servidor. */
export const problems = {
  requestId: (id) => `Petición ${id}`,
  waitSeconds: (seconds) => `Inténtalo de nuevo en ${seconds} s.`,
  kinds: {
    'invalid-input': 'Algo de lo que se escribió no es correcto. No se cambió nada.',
    unauthenticated: 'Tu sesión terminó.',
    forbidden: 'Tu rol no puede hacer esto.',
    'not-found': 'No hay nada en esta dirección.',
    'book-not-found': 'No existe ese talonario. Puede que se haya quitado.',
    'deck-not-found': 'El talonario no tiene ese mazo.',
    'coupon-not-found': 'No existe ese código. Revisa cómo está escrito.',
    'redemption-not-found': 'No existe ese canje.',
    'method-not-allowed': 'El servidor no conoce esta acción. Vuelve a cargar la página.',
    'book-not-active': 'El talonario no está activo.',
    'book-outside-window': 'El talonario todavía no empezó, o ya terminó.',
    'coupon-expired': 'El plazo propio del cupón terminó.',
    'no-codes-left': 'Al talonario no le quedan códigos. Añade algunos e inténtalo de nuevo.',
    'user-limit-reached': 'El usuario ya tiene todo lo que el talonario permite a uno.',
    'redemption-limit-reached': 'El talonario ya tiene tantos canjes como permite.',
    'code-already-assigned': 'El código ya es de un usuario.',
    'code-already-redeemed': 'Al cupón no le queda ningún canje.',
    'code-locked': 'Una compra tiene bloqueado el cupón en este momento.',
    'lock-required': 'El talonario exige un bloqueo antes de cada canje.',
    'lock-expired': 'El bloqueo terminó.',
    'coupon-void': 'El cupón está anulado. Es definitivo.',
    'held-by-another-user': 'El cupón es de otro usuario.',
    conflict: 'Choca con algo que ya existe.',
    'revision-mismatch': 'Mientras tanto, otra persona cambió esto.',
    'body-too-large': 'Es demasiado grande para una sola petición.',
    'unsupported-media-type': 'El servidor no acepta archivos de esta clase.',
    'idempotency-key-reused':
      'Un intento anterior de este formulario se llevó a cabo, con lo que contenía entonces. Mira si era correcto antes de seguir.',
    'pattern-too-small': 'El patrón tiene muy pocas combinaciones.',
    'rate-limited': 'Demasiados intentos en muy poco tiempo.',
    internal: 'El servidor falló. Quedó registrado.',
    unavailable: 'El servidor está muy ocupado o perdió su base de datos. Intentarlo otra vez no hace nada dos veces.',
    'lost-connection': 'No llegó respuesta. Puede que se haya hecho igual: inténtalo otra vez; nada se hace dos veces.',
    unreadable: 'Algo entre tú y el servidor respondió en su lugar.',
  },
} satisfies Translation<typeof english>;
