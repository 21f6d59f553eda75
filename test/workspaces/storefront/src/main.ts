import { Cart } from './cart.ts';
import type { Kind } from './catalogue.ts';
import { byId } from './elements.ts';
import { renderCart, renderKinds, renderProducts } from './views.ts';

const cart = new Cart(localStorage);
const openCart = byId<HTMLButtonElement>('open-cart');
let chosen: Kind | null = null;

function showProducts(): void {
  renderKinds(byId('kinds'), chosen, (kind) => {
    chosen = kind;
    showProducts();
  });
  renderProducts(byId('products'), chosen, cart);
}

function showCart(): void {
  byId('cart-count').textContent = String(cart.count);
  renderCart(byId('cart'), cart);
}

openCart.onclick = () => {
  const panel = byId('cart');
  panel.hidden = !panel.hidden;
  openCart.ariaExpanded = String(!panel.hidden);
};
cart.subscribe(showCart);
showProducts();
showCart();
