package main

import (
	"slices"
	"strings"
)

// The names are invented, and mixed so that they look like those of a company in many countries.
var (
	givenNames = strings.Fields(`
		Ada Adam Agata Aisha Alba Alice Amadou Amir Ana Anders Andrea Anil Anouk Anton Arno Asha Astrid Ava Barbara
		Beatriz Bela Birgit Bogdan Bruno Camila Carla Cecile Chen Chiara Chloe Clara Dagmar Dalia Daniel Dario Delia
		Diego Dmitri Dora Edith Elena Elif Emeka Emil Enzo Erik Esra Esther Eva Fabian Farid Fatou Felix Fiona Flora
		Frida Gabor Georg Gita Greta Gustav Hana Haruki Hector Helene Henrik Hugo Ida Ignacio Igor Imani Ines Ioana
		Irma Isaac Ivan Jana Javier Jelena Joachim Jonas Julia Kaito Karin Katya Kofi Laila Lars Lazar Lea Leila
		Leon Lorenz Luca Ludmila Lydia Magda Mairi Malik Manon Marcel Marta Mateo Mei Milan Mirko Moira Nadia Naomi
		Nils Nina Noor Olga Omar Orla Oscar Otto Paula Pedro Petra Philippa Priya Quentin Rafael Ramona Renata Robin
		Rosa Ruth Sabine Samir Sanna Selma Silvia Sofia Stefan Svetlana Tamar Tariq Tess Thabo Tilda Tomas Ulla
		Umberto Valentin Vera Viktor Wanda Xenia Yara Yusuf Zora`)
	surnames = strings.Fields(`
		Abara Adler Agostini Aksoy Almeida Amsel Andersson Antunes Arslan Auer Baker Balint Banerjee Barros Bauer
		Becker Bellamy Bergman Bianchi Blanc Blom Bosch Brandt Bremer Byrne Caruso Castro Cermak Chanda Chevalier
		Cohen Conti Costa Cruz Czerny Dahl Danso Decker Demir Diallo Dietrich Dobrev Dubois Duarte Eklund Elmasry
		Engel Eriksen Faber Falk Farkas Fekete Ferrari Fischer Flynn Fonseca Forsberg Fuchs Gallo Garcia Gentile
		Gomez Greco Gruber Guerra Haas Haddad Hakim Hansen Hartmann Hasegawa Heinz Henning Hoang Holm Horvath Huber
		Ibrahim Ilves Ito Ivanova Jansen Jarvinen Jensen Johansson Joshi Juhasz Kaplan Karimi Kaya Keller Khan Kim
		Kiraly Koch Komarov Kovac Kowalski Kramer Krause Kumar Kuusk Lambert Larsen Laurent Lehtonen Lemaire
		Lindqvist Lopez Lorenzo Luong Maier Mancini Marino Martin Mazur Mbeki Medina Melnyk Mendes Meyer Mikkelsen
		Molnar Moreau Murray Nagy Nakamura Navarro Neumann Nguyen Nilsen Novak Nowak Odhiambo Okafor Oliveira Olsen
		Ortega Osman Owusu Pacheco Palmer Park Pavlov Pereira Petrov Pichler Popescu Prieto Quist Rao Rasmussen
		Reiter Ricci Rivera Romano Rossi Roth Ruiz Saito Salazar Sanchez Santoro Sato Schmid Schulz Serrano Shah
		Silva Simic Singh Sokolov Soto Stein Steiner Suzuki Szabo Takahashi Tanaka Teixeira Thorsen Torres Toth
		Traore Ueda Unger Vaida Varga Vasquez Vidal Virtanen Vogel Volkov Wagner Walsh Weber Weiss Winkler Wolf
		Yamada Yildiz Yilmaz Zamora Zeman Ziegler Zhang Zielinski`)
	// Most people of a company have a surname that few others have: these are put together.
	stems = strings.Fields(`
		Ahl Berg Birk Blum Dorn Eich Fried Gold Hag Heid Holm Kron Lauter Lind Lund Mor Nord Oster Rosen Sand Silber Stein
		Strand Sund Tann Wald Wester Wolken Zirn`)
	endings = strings.Fields("bach bauer berg blom dahl feld gren hoff holt mann quist rud stad stein strom thal wald")

	departments = strings.Fields("Sales Finance Legal Research Production Purchasing Quality Logistics Marketing Personnel")
	places      = strings.Fields("Vienna Lisbon Oslo Nairobi Osaka Lima Leeds Ankara Gdansk Turin Quebec Pune")
)

// allSurnames returns every surname once.
func allSurnames() []string {
	all := slices.Clone(surnames)
	for _, stem := range stems {
		for _, ending := range endings {
			if !strings.EqualFold(stem, ending) {
				all = append(all, stem+ending)
			}
		}
	}
	return all
}
