//! STM32F405 (Cortex-M4F, 1 MiB of flash, 128 KiB of RAM): Feather STM32F405, Olimex H405,
//! Netduino Plus 2, and QEMU's `netduinoplus2`.
//!
//! | what | where |
//! |---|---|
//! | serial line | USART1, TX on PA9, RX on PA10, 115,200 baud 8N1 |
//! | LED | PC1, as on the Feather (Olimex H405: PC12, Netduino Plus 2: PA10) |
//! | clock | 168 MHz from the internal oscillator; 16 MHz where the PLL does not lock |
//! | ticks | TIM2, 32 bits; under `qemu -icount shift=0` one an instruction |
//!
//! The linker's memory map (the 64 KiB of core-coupled memory stay unused):
//! ```ld
//! MEMORY {
//!   FLASH : ORIGIN = 0x08000000, LENGTH = 1024K
//!   RAM   : ORIGIN = 0x20000000, LENGTH = 128K
//! }
//! ```

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m_rt::{entry, exception};
#[cfg(feature = "reference")]
use gradflow_mcu::reference::{Memory, serve};
#[cfg(not(feature = "reference"))]
use gradflow_mcu::{Memory, serve};
use gradflow_mcu::{Meter, stack};
use stm32f4xx_hal::pac::{FLASH, Peripherals, RCC, TIM2};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Enable as _;

const BAUD: u32 = 115_200;
/// The internal oscillator, on which the chip starts, in MHz.
const SLOW: u32 = 16;
/// Clock of USART1 and of TIM2 once the PLL drives the chip, in MHz: half of 168.
const FAST: u32 = 84;
/// Reads of a flag after which a clock is taken to be absent, about 10 ms at 16 MHz.
const PATIENCE: u32 = 20_000;

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    if let Some(chip) = Peripherals::take() {
        let peripheral_clock = if go_fast(&chip.RCC, &chip.FLASH) { FAST } else { SLOW };
        let mut rcc = chip.RCC.constrain();
        TIM2::enable(&mut rcc);
        chip.TIM2.arr().write(|w| w.set(u32::MAX));
        chip.TIM2.egr().write(|w| w.ug().update());
        chip.TIM2.cr1().write(|w| w.cen().enabled());
        let meter = Ticks { timer: chip.TIM2, per_second: peripheral_clock * 1_000_000 };

        let a = chip.GPIOA.split(&mut rcc);
        let led = chip.GPIOC.split(&mut rcc).pc1.into_push_pull_output();
        // The HAL knows of the slow clock only, and divides that.
        let baud = (BAUD * SLOW / peripheral_clock).bps();
        if let Ok(serial) = chip.USART1.serial((a.pa9, a.pa10), baud, &mut rcc) {
            serve(serial, led, meter, MEMORY, || true);
        }
    }
    sos()
}

/// Switches to 168 MHz, from the internal oscillator by the PLL (RM0090, 7.3.2 and 3.5.1). Returns
/// false, and leaves the chip at 16 MHz, if the PLL does not lock: in QEMU, which has no model of
/// the clocks, it never does.
fn go_fast(rcc: &RCC, flash: &FLASH) -> bool {
    // 16 MHz / 8 · 168 / 2 = 168 MHz.
    // SAFETY: factors in the ranges of the manual: input 2 MHz, oscillator 336 MHz.
    rcc.pllcfgr().write(|w| unsafe {
        w.pllsrc().hsi().pllm().bits(8).plln().bits(168).pllp().div2().pllq().bits(7)
    });
    rcc.cr().modify(|_, w| w.pllon().on());
    if !(0..PATIENCE).any(|_| rcc.cr().read().pllrdy().is_ready()) {
        rcc.cr().modify(|_, w| w.pllon().off());
        return false;
    }
    flash.acr().write(|w| w.latency().ws5().prften().enabled().icen().enabled().dcen().enabled());
    rcc.cfgr().modify(|_, w| w.ppre1().div4().ppre2().div2());
    rcc.cfgr().modify(|_, w| w.sw().pll());
    (0..PATIENCE).any(|_| rcc.cfgr().read().sws().is_pll())
}

/// TIM2, counting freely.
struct Ticks {
    timer: TIM2,
    per_second: u32,
}

impl Meter for Ticks {
    fn ticks(&self) -> u32 {
        self.timer.cnt().read().bits()
    }

    fn ticks_per_second(&self) -> u32 {
        self.per_second
    }

    fn repaint_stack(&mut self) {
        stack::repaint();
    }

    fn stack_used(&self) -> u32 {
        stack::used()
    }

    fn stack_depth(&self) -> u32 {
        stack::depth()
    }

    fn stack_size(&self) -> u32 {
        stack::size()
    }
}

/// The light's SOS for ever: something went wrong that no command can mend.
fn sos() -> ! {
    // SAFETY: whatever used the pin before does not run any more.
    let port = unsafe { Peripherals::steal() }.GPIOC;
    let light = |lit: bool| {
        port.bsrr().write(|w| if lit { w.bs1().set_bit() } else { w.br1().set_bit() });
    };
    gradflow_mcu::sos(light, || cortex_m::asm::delay(16_000_000 / gradflow_mcu::UNITS_PER_SECOND))
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    sos()
}

#[exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    sos()
}
